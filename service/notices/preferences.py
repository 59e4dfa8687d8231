"""What each recipient prefers: by category whether it is shown in the application, and how it goes out by mail."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.kit.db import Row
from service.kit.language import Language
from service.kit.texts import clean_line
from service.notices.model import Category, Mailing

EmailAddress = Annotated[
    str,
    AfterValidator(clean_line),
    StringConstraints(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+$", max_length=254),
]


class Way(BaseModel):
    """How one category reaches its recipient."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    in_app: bool = Field(description="Shown under GET /v1/notifications / 站内显示")
    mail: Mailing = Field(
        description="By mail at once, in a digest of the day or week, or not / 邮件：即时、每日、每周或关闭"
    )


# What somebody waits for comes at once, what only tells goes into a digest.
DEFAULTS: Final[Mapping[Category, Way]] = {
    Category.LISTING: Way(in_app=True, mail=Mailing.DAILY),
    Category.MATCH: Way(in_app=True, mail=Mailing.AT_ONCE),
    Category.CASE: Way(in_app=True, mail=Mailing.AT_ONCE),
    Category.CONTRACT: Way(in_app=True, mail=Mailing.AT_ONCE),
    Category.REVIEW: Way(in_app=True, mail=Mailing.DAILY),
    Category.ACCOUNT: Way(in_app=True, mail=Mailing.AT_ONCE),
}
# Whoever took over a key would turn these off first.
ALWAYS: Final = frozenset({Category.ACCOUNT})


class PreferenceContent(BaseModel):
    """How a recipient wants to be told; a category that is left out has its default."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"language": "zh", "email": None, "categories": {"listing": {"in_app": True, "mail": "weekly"}}}
            ]
        },
    )

    language: Language = Field(default="zh", description="Language of mail / 邮件语言")
    email: EmailAddress | None = Field(
        default=None,
        description="Where an organization's mail goes; null: no mail. A person's goes to its own address. "
        "/ 单位通知邮箱，空为不发；个人通知发往本人邮箱，此处须为空",
    )
    categories: dict[Category, Way] = Field(default_factory=dict, description="By category / 按类别")

    def way(self, category: Category) -> Way:
        """How a category reaches the recipient."""
        return self.categories.get(category, DEFAULTS[category])


def read(row: Row | None, language: Language) -> PreferenceContent:
    """A stored row's content, or the defaults where there is none; `language` is the market's."""
    if row is None:
        return PreferenceContent(language=language)
    return PreferenceContent(language=row["language"], email=row["email"], categories=row["categories"])
