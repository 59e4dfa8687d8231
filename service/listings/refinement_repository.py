"""Rows of refinement: rounds, questions, agreements, and the revisions that they are about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.kit.actor import Actor
from service.kit.db import Connection, Row, affected

BEGIN = """
insert into refinement (listing_id, organization_id, key_id, person_id, begun_at) values ($1, $2, $3, $4, $5)
"""


async def begin(connection: Connection, actor: Actor, listing_id: UUID, at: datetime) -> None:
    """Note that the actor takes a listing in hand."""
    await connection.execute(BEGIN, listing_id, actor.organization_id, actor.key_id, actor.person_id, at)


END = """
update refinement set ended_at = greatest(begun_at, $2), published = $3 where listing_id = $1 and ended_at is null
"""


async def end(connection: Connection, listing_id: UUID, at: datetime, *, published: bool) -> None:
    """End the round that is open, if one is; whether its text goes to the market."""
    await connection.execute(END, listing_id, at, published)


IN_HAND = """
select given.place - 1 as place, listing_id
from unnest($1::uuid[], $2::uuid[]) with ordinality as given (organization_id, person_id, place)
join refinement on refinement.organization_id = given.organization_id
 and refinement.person_id is not distinct from given.person_id
where ended_at is null
"""


async def in_hand(
    connection: Connection, organizations: list[UUID], persons: list[UUID | None]
) -> list[tuple[int, UUID]]:
    """What is being refined by whom of some: places in the two lists, each with a listing."""
    return [(row["place"], row["listing_id"]) for row in await connection.fetch(IN_HAND, organizations, persons)]


@dataclass(frozen=True, slots=True)
class LastRevisions:
    """Of a listing's revisions the last that its own organization wrote, the last of all, and the last agreed to."""

    own: int | None
    latest: int
    agreed: int | None

    @property
    def is_agreed(self) -> bool:
        """Whether the organization stands behind the present text: it wrote or agreed to it, or never wrote itself.

        What a broker or an import posts on behalf of an organization that does not write itself needs no word of its own.

        >>> LastRevisions(own=1, latest=2, agreed=None).is_agreed, LastRevisions(own=1, latest=2, agreed=2).is_agreed
        (False, True)
        """
        return self.own is None or max(self.own, self.agreed or 0) >= self.latest


LAST_REVISIONS = """
select (
           select version from listing_revision
           where listing_id = $1 and organization_id = $2 order by version desc limit 1
       ) as own,
       (select version from listing_revision where listing_id = $1 order by version desc limit 1) as latest,
       (select revision from listing_agreement where listing_id = $1 order by revision desc limit 1) as agreed
"""


async def last_revisions(connection: Connection, listing_id: UUID, owner: UUID) -> LastRevisions:
    """Where a listing's revisions stand; every listing has one at least."""
    row = await connection.fetchrow(LAST_REVISIONS, listing_id, owner)
    assert row is not None
    return LastRevisions(**row)


ROUNDS = """
select refinement.begun_at, refinement.ended_at,
       organization.brief as organization
from refinement left join organization_brief as organization on organization.id = refinement.organization_id
where listing_id = $1
order by refinement.id
"""


async def rounds(connection: Connection, listing_id: UUID) -> list[Row]:
    """Every round, oldest first; who had it in hand as far as the actor sees that organization."""
    return await connection.fetch(ROUNDS, listing_id)


OUTLINE = """
select version as revision, at, organization_id as by_organization from listing_revision
where listing_id = $1 order by version
"""


async def outline(connection: Connection, listing_id: UUID) -> list[Row]:
    """Of every revision its number, time and author's organization, oldest first."""
    return await connection.fetch(OUTLINE, listing_id)


HISTORY = """
select listing_revision.version as revision, at, reason, content, listing_revision.organization_id as by_organization, agreed_at,
       organization.brief as organization
from listing_revision
left join organization_brief as organization on organization.id = listing_revision.organization_id
left join listing_agreement on listing_agreement.listing_id = $1 and revision = listing_revision.version
where listing_revision.listing_id = $1 and ($2::integer is null or listing_revision.version < $2)
order by listing_revision.version desc
limit $3
"""


async def history(connection: Connection, listing_id: UUID, before: int | None, limit: int) -> list[Row]:
    """The latest revisions, before one if it is named, with content, author and agreement, oldest first."""
    return list(reversed(await connection.fetch(HISTORY, listing_id, before, limit)))


QUESTIONS = """
select listing_question.id, field, question, asked_at, answer, answered_at,
       organization.brief as organization
from listing_question left join organization_brief as organization on organization.id = listing_question.organization_id
where listing_id = $1
order by listing_question.id
"""


async def questions(connection: Connection, listing_id: UUID) -> list[Row]:
    """Every question, oldest first."""
    return await connection.fetch(QUESTIONS, listing_id)


ASK = """
insert into listing_question (listing_id, field, question, organization_id, key_id, person_id, asked_at)
values ($1, $2, $3, $4, $5, $6, $7)
returning id
"""


async def ask(
    connection: Connection, actor: Actor, listing_id: UUID, field: str | None, question: str, at: datetime
) -> UUID:
    """Keep a question of the actor's; its id."""
    identifier: UUID = await connection.fetchval(
        ASK, listing_id, field, question, actor.organization_id, actor.key_id, actor.person_id, at
    )
    return identifier


ASKED = "select exists (select from listing_question where listing_id = $1 and id = $2)"


async def is_asked(connection: Connection, listing_id: UUID, question_id: UUID) -> bool:
    """Whether the listing has such a question."""
    found: bool = await connection.fetchval(ASKED, listing_id, question_id)
    return found


ANSWER = """
update listing_question set answer = $3, answered_at = $4, answered_by_key = $5, answered_by_person = $6
where listing_id = $1 and id = $2 and answer is null
"""


async def answer(
    connection: Connection, actor: Actor, listing_id: UUID, question_id: UUID, text: str, at: datetime
) -> bool:
    """Keep the answer; whether there was none yet."""
    status = await connection.execute(ANSWER, listing_id, question_id, text, at, actor.key_id, actor.person_id)
    return affected(status) == 1


AGREE = """
insert into listing_agreement (listing_id, revision, organization_id, key_id, person_id, agreed_at)
values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
"""


async def agree(connection: Connection, actor: Actor, listing_id: UUID, revision: int, at: datetime) -> bool:
    """Keep the agreement to a revision; whether it is new."""
    status = await connection.execute(
        AGREE, listing_id, revision, actor.organization_id, actor.key_id, actor.person_id, at
    )
    return affected(status) == 1
