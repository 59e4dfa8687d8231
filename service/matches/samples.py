"""What an evaluation reads of the market: decisions, a sample of needs with their candidates, and texts to judge."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from matching.evaluation.dataset import Document
from matching.evaluation.decisions import DecidedPair
from matching.evaluation.systems import SYSTEMS, Setting
from matching.index.models import active_model
from matching.pipeline import load_profile
from matching.types import Kind
from service.errors import NotFound, Unavailable
from service.kit.clock import today
from service.kit.db import Connection, Row, ranking_role
from service.kit.language import Text
from service.matches import repository
from service.matches.models import active_ranking

PAGE = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """A pair with the last decision on it, and when that was made."""

    pair: DecidedPair
    decided_at: datetime


async def decided_pairs(connection: Connection) -> list[Decided]:
    """Every pair that somebody decided on, with what the signals read of it."""
    return [
        Decided(
            DecidedPair(str(row["need_id"]), row["title"], str(row["outcome_id"]), row["action"], row["readings"]),
            row["decided_at"],
        )
        for row in await repository.decided_pairs(connection)
    ]


async def setting_of(connection: Connection) -> Setting:
    """The market's own index, embedding and active ranking model, as the compared systems take them.

    Raises:
        Unavailable: nothing is indexed yet.
    """
    async with ranking_role(connection):
        embedding = await active_model(connection)
    if embedding is None:
        raise Unavailable(
            Text("还没有建立索引：请先运行 duijie worker", "Nothing is indexed yet: run duijie worker first")
        )
    return Setting(connection, embedding, await active_ranking(connection), today())


async def sample_of_needs(connection: Connection, seed: int, count: int) -> list[UUID]:
    """Some published needs, the same for the same seed while none are added.

    Raises:
        NotFound: no published need is indexed.
    """
    found = await repository.sample_of_needs(connection, seed, count)
    if not found:
        raise NotFound(
            Text(
                "没有已发布并编入索引的需求：请先发布需求并运行 duijie worker",
                "No published need is indexed: publish needs and run duijie worker first",
            )
        )
    return found


async def ranked_lists(setting: Setting, need_id: UUID, names: Sequence[str]) -> dict[str, list[str]]:
    """A stored need's outcomes by system, best first; empty where the need left the index meanwhile."""
    async with ranking_role(setting.connection):
        profile = await load_profile(setting.connection, "need", need_id, setting.embedding)
        if profile is None:
            return {}
        return {name: [str(found) for found in await SYSTEMS[name](setting, profile)] for name in names}


async def texts_of(connection: Connection, kind: Kind, identifiers: Sequence[str]) -> dict[str, Document]:
    """The texts of listings by id, whatever their state; what is no id of such a listing is left out."""
    wanted = [identifier for text in identifiers if (identifier := _as_uuid(text)) is not None]
    return {str(row["id"]): _document(row) for row in await repository.texts_of(connection, kind, wanted)}


async def published_texts(connection: Connection, kind: Kind) -> AsyncIterator[Document]:
    """The texts of everything that is published, by id."""
    after: UUID | None = None
    while rows := await repository.published_texts(connection, kind, after, PAGE):
        for row in rows:
            yield _document(row)
        after = rows[-1]["id"]


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _document(row: Row) -> Document:
    return Document(str(row["id"]), row["title"], row["text"], tuple(row["keywords"]))
