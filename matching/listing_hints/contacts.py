"""Contact data and names of companies in a text that everybody reads."""

import re

# Every repetition is bounded, so that no text takes long.
_CONTACTS = re.compile(
    r"(?<![\w.])[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,4}"
    r"|(?<![\d.])1[3-9]\d[ \-]?\d{4}[ \-]?\d{4}(?![\d.])"
    r"|(?<![\d.])[（(]?0\d{2,3}[）)]?[ \-—–]{1,2}\d{7,8}(?!\d)"
    r"|(?<![\d.])[48]00[ \-]\d{3}[ \-]?\d{4}(?!\d)"
    r"|(?<!\w)\+\d{1,3}[ \-]\d{1,4}[ \-]?\d{3,4}[ \-]?\d{3,4}(?!\d)"
    r"|(?:微信|QQ|WeChat|WhatsApp|Telegram)(?:号|群| ID)?\s{0,2}[:：]?\s{0,2}[A-Za-z0-9_\-+]{5,30}"
    r"|联系人\s{0,2}[:：]\s{0,2}[\u3400-\u9fff]{2,4}"
    r"|(?:https?://|www\.)[^\s<>\"，。；、）)]{3,200}",
    re.IGNORECASE | re.ASCII,
)
_COMPANIES = re.compile(
    r"[\u3400-\u9fff（）()]{2,24}?(?:有限责任公司|股份有限公司|有限公司|集团公司)"
    r"|\b[A-Z][A-Za-z&\-]{1,30}(?: [A-Z][A-Za-z&\-]{1,30}){0,4},? (?:Co\.?,? ?Ltd|Ltd|Inc|GmbH|LLC|Corp)\b"
)
# What may stand before a company's name in the same run of characters.
_LEAD = re.compile(
    r"^.{0,12}?(?:我们是|我公司为|我公司|我们|本公司|公司名称|单位名称|名为|叫做|来自|由|是|为|与|和|及|向|在|的)(?=.{4})"
)
_LEGAL_FORM = re.compile(r"(?:有限责任公司|股份有限公司|有限公司|集团公司|集团)$")
LEAST_NAME = 4


def contacts_in(text: str) -> tuple[str, ...]:
    """Telephone numbers, e-mail addresses, chat accounts, web addresses and named contact persons, in order.

    >>> contacts_in("有意者联系人：王工，13800000000 或 demo@example.com")
    ('联系人：王工', '13800000000', 'demo@example.com')
    """
    return tuple(dict.fromkeys(found.group().strip() for found in _CONTACTS.finditer(text)))


def without_contacts(text: str) -> str:
    """The text without its contact data.

    >>> without_contacts("含水率≤13%，电话13800000000。")
    '含水率≤13%，电话。'
    """
    return _CONTACTS.sub("", text)


def companies_in(text: str, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The `names` that stand in a text, also without their legal form, and whatever is written like a company's name.

    >>> companies_in("我公司宁夏演示机械有限公司需要轴承。", ())
    ('宁夏演示机械有限公司',)
    >>> companies_in("演示机械需要轴承。", ("演示机械有限公司",))
    ('演示机械',)
    """
    found = []
    for name in names:
        short = _LEGAL_FORM.sub("", name.strip())
        for form in (name.strip(), short):
            if len(form) >= LEAST_NAME and form in text:
                found.append(form)
                break
    for match in _COMPANIES.finditer(text):
        written = _LEAD.sub("", match.group())
        if not any(written in name or name in written for name in found):
            found.append(written)
    return tuple(dict.fromkeys(found))
