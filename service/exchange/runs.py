"""An import: good rows go in, bad rows go to the report, and running it again changes nothing."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from uuid import UUID

from service.access import service as access
from service.access.schemas import Organization, OrganizationContent, OrganizationKind
from service.errors import FieldProblem, Forbidden, ServiceError, TooLarge, ValidationProblem
from service.exchange import codebook, repository
from service.exchange.columns import ImportKind
from service.exchange.readers import RawRow, check_name, open_table
from service.exchange.rows import GoodRow, RowProblem, Sorter, batches, check_headings
from service.kit.actor import Actor, Role
from service.kit.db import Connection, Pool, transaction
from service.kit.language import Text
from service.listings import service as listings
from service.listings.schemas import Kind, Listing, ListingContent
from service.needs.schemas import content_of as need_content
from service.outcomes.schemas import content_of as outcome_content

TargetState = Literal["draft", "submitted", "published"]
BATCH = 200
KINDS: dict[ImportKind, Kind | None] = {"needs": Kind.NEED, "outcomes": Kind.OUTCOME, "organizations": None}
RUN_KINDS: dict[ImportKind, str] = {"needs": "need", "outcomes": "outcome", "organizations": "organization"}
# The steps from each state towards publication; a state that is not named here is left as it is.
STEPS: dict[Kind, dict[str, str]] = {
    Kind.NEED: {"draft": "submit", "submitted": "publish", "refining": "publish"},
    Kind.OUTCOME: {"draft": "submit", "submitted": "verify", "verified": "publish"},
}
REVIEWERS = (Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)
LOCAL_OPERATOR = OrganizationContent(external_id="operator", name="本地运营方", kind=OrganizationKind.MARKET)


@dataclass(slots=True)
class ImportReport:
    """What became of a file's rows."""

    run_id: UUID | None
    file_name: str
    dry_run: bool
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    notices: list[Text] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Rows read."""
        return self.created + self.changed + self.unchanged + self.refused


class _DryRunOverError(Exception):
    """Raised to undo a batch that was only tried."""


async def import_path(
    pool: Pool,
    actor: Actor,
    path: Path,
    kind: ImportKind,
    *,
    organization: str | None = None,
    state: TargetState = "published",
    dry_run: bool = False,
    on_progress: Callable[[int], None] | None = None,
    file_name: str | None = None,
    most_rows: int | None = None,
) -> ImportReport:
    """Import a file or BEIR folder; `on_progress` is told the rows of each finished batch.

    A batch is one transaction. Rows are found again by their number within the organization, so what an interruption
    left undone is done by the next run, and what it left half done (a draft that should be published) is finished.

    Raises:
        UnreadableFile, UnsupportedMedia: nothing was imported.
        TooLarge: no more was imported than the rows before.
        Forbidden: the actor's key does not import this.
    """
    _check_may_import(actor, kind, state)
    table = await asyncio.to_thread(open_table, path, kind)
    name = file_name or path.name
    check_name(name, table.format)
    check_headings(table, kind)
    async with transaction(pool, actor) as connection:
        book = await codebook.load(connection)
        owner = await _default_owner(connection, actor, organization, kind)
        run_id = None if dry_run else await repository.insert_run(connection, actor, RUN_KINDS[kind], name, dry_run)
    report = ImportReport(run_id, name, dry_run)
    importer = _Importer(actor, kind, owner, state)
    sorter = Sorter(kind, book.codes)
    groups = batches(_bounded(table.rows, most_rows), BATCH)
    try:
        while group := await asyncio.to_thread(next, groups, None):
            await _import_batch(pool, importer, sorter, group, report)
            if on_progress is not None:
                on_progress(len(group))
    except BaseException:
        await asyncio.shield(_close_run(pool, actor, report, "failed"))
        raise
    report.notices = sorter.notices()
    await _close_run(pool, actor, report, "finished")
    return report


def _bounded(raw: Iterator[RawRow], most: int | None) -> Iterator[RawRow]:
    for number, row in enumerate(raw, start=1):
        if most is not None and number > most:
            raise TooLarge(
                Text(
                    f"一次最多导入 {most} 行，请拆分文件（前面的行已导入）",
                    f"At most {most} rows at a time: split the file (earlier rows are in)",
                )
            )
        yield row


def _check_may_import(actor: Actor, kind: ImportKind, state: TargetState) -> None:
    listing_kind = KINDS[kind]
    if listing_kind is None:
        allowed: tuple[Role, ...] = (Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)
    elif state == "published":
        allowed = REVIEWERS
    else:
        allowed = listings.AUTHORS[listing_kind]
    if not actor.has(*allowed):
        names = [role.value for role in allowed if role is not Role.SYSTEM]
        raise Forbidden(
            Text(
                f"此导入需要以下角色之一：{'、'.join(names)}", f"This import takes one of the roles: {', '.join(names)}"
            )
        )


async def _default_owner(
    connection: Connection, actor: Actor, named: str | None, kind: ImportKind
) -> Organization | None:
    """The organization of rows that name none."""
    if kind == "organizations":
        return None
    if named is not None:
        found = await access.find_organization(connection, named)
        if found is None:
            text = Text(
                f"没有外部编号为 {named} 的单位，请先登记该单位",
                f"No organization has the external id {named}: register it first",
            )
            raise ValidationProblem([FieldProblem("organization", "unknown", text)])
        return found
    if actor.organization_id is not None:
        return await access.get_organization(connection, actor.organization_id)
    name = str(LOCAL_OPERATOR.external_id)
    found = await access.find_organization(connection, name)
    return found or await access.create_organization(connection, actor, LOCAL_OPERATOR)


async def _import_batch(
    pool: Pool, importer: "_Importer", sorter: Sorter, group: list[RawRow], report: ImportReport
) -> None:
    """One batch in one transaction; counts and problems enter the report when it has committed."""
    counts = {"created": 0, "changed": 0, "unchanged": 0, "refused": 0}
    problems: list[RowProblem] = []
    try:
        async with transaction(pool, importer.actor) as connection:
            for raw in group:
                sorted_row = sorter.sort(raw)
                stored = await importer.store(connection, sorted_row) if isinstance(sorted_row, GoodRow) else sorted_row
                if isinstance(stored, list):
                    counts["refused"] += 1
                    problems += stored
                else:
                    counts[stored] += 1
            if report.run_id is not None:
                await repository.insert_problems(connection, report.run_id, len(report.problems), problems)
                done = [getattr(report, name) + count for name, count in counts.items()]
                await repository.update_run(connection, report.run_id, "running", sum(done), *done)
            if report.dry_run:
                raise _DryRunOverError
    except _DryRunOverError:
        pass
    for name, count in counts.items():
        setattr(report, name, getattr(report, name) + count)
    report.problems += problems


async def _close_run(pool: Pool, actor: Actor, report: ImportReport, state: str) -> None:
    if report.run_id is not None:
        async with transaction(pool, actor) as connection:
            counts = (report.created, report.changed, report.unchanged, report.refused)
            await repository.update_run(connection, report.run_id, state, report.total, *counts)


Outcome = Literal["created", "changed", "unchanged"]


class _Importer:
    """Puts good rows in, in the name of one actor."""

    def __init__(self, actor: Actor, kind: ImportKind, owner: Organization | None, state: TargetState) -> None:
        self.actor = actor
        self.kind = KINDS[kind]
        self.owner = owner
        self.state = state
        self._found: dict[str, Organization | None] = {}

    async def store(self, connection: Connection, row: GoodRow) -> Outcome | list[RowProblem]:
        """One row in a savepoint: what is refused in it leaves nothing of it behind."""
        try:
            async with connection.transaction():
                if self.kind is None:
                    return await self._store_organization(connection, row)
                return await self._store_listing(connection, self.kind, row)
        except ServiceError as error:
            return _problems_of(error, row)

    async def _store_organization(self, connection: Connection, row: GoodRow) -> Outcome:
        stored = await access.find_organization(connection, row.external_id)
        if stored is None:
            await access.create_organization(connection, self.actor, row.content)
            return "created"
        if (
            OrganizationContent.model_validate(stored.model_dump(include=set(OrganizationContent.model_fields)))
            == row.content
        ):
            return "unchanged"
        await access.change_organization(connection, self.actor, stored.id, "*", row.content)
        return "changed"

    async def _store_listing(self, connection: Connection, kind: Kind, row: GoodRow) -> Outcome:
        owner = await self._owner_of(connection, row)
        identifier = await listings.find_external(connection, kind, owner, row.external_id)
        outcome: Outcome = "unchanged"
        if identifier is None:
            listing = await listings.create(connection, self.actor, kind, owner, row.content)
            outcome = "created"
        else:
            listing = await listings.read(connection, self.actor, kind, identifier)
            if _content_of(listing).model_dump() != row.content.model_dump():
                listing = await listings.change(connection, self.actor, kind, identifier, "*", row.content, "import")
                outcome = "changed"
        moved = await self._bring_forward(connection, kind, listing)
        return "changed" if moved and outcome == "unchanged" else outcome

    async def _bring_forward(self, connection: Connection, kind: Kind, listing: Listing) -> bool:
        """Take the steps that lie between the listing's state and the one wanted; whether there were any."""
        moved = False
        while (
            listing.state in STEPS[kind]
            and self.state != "draft"
            and not (self.state == "submitted" and listing.state != "draft")
        ):
            listing = await listings.act(
                connection, self.actor, kind, listing.id, STEPS[kind][listing.state], bulk=True
            )
            moved = True
        return moved

    async def _owner_of(self, connection: Connection, row: GoodRow) -> UUID:
        if row.organization is None:
            assert self.owner is not None
            return self.owner.id
        if row.organization not in self._found:
            self._found[row.organization] = await access.find_organization(
                connection, row.organization
            ) or await access.find_organization_by_name(connection, row.organization)
        found = self._found[row.organization]
        # Whoever may not post for others is not told which others there are.
        if found is None or not (self.actor.has(*REVIEWERS) or self.actor.owns(found.id)):
            text = Text(
                f"没有可用的单位“{row.organization}”；请先导入单位，或留空表示本单位",
                f"No organization “{row.organization}” that you may post for: import organizations first, or leave it empty",
            )
            raise _RowRefused([FieldProblem("organization", "known_organization", text)])
        return found.id


class _RowRefused(ServiceError):
    """A row that nothing can be made of."""

    status = 422

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__(problems=problems)


def _content_of(listing: Listing) -> ListingContent:
    return need_content(listing) if listing.kind is Kind.NEED else outcome_content(listing)


def _problems_of(error: ServiceError, row: GoodRow) -> list[RowProblem]:
    found = error.problems or (FieldProblem("", error.code, error.detail or error.title),)
    return [RowProblem(row.line, each.field, each.rule, each.message, "", row.external_id) for each in found]
