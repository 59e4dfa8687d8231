"""An export, page by page, so that a large market does not have to fit into memory."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from service.access.schemas import OrganizationContent
from service.errors import FieldProblem, Forbidden, ValidationProblem
from service.exchange import codebook, repository
from service.exchange.columns import ImportKind
from service.exchange.readers import Format
from service.exchange.runs import KINDS
from service.exchange.writers import CellTooLongError, open_writer
from service.kit.actor import Actor, Role
from service.kit.db import Pool, Row, transaction
from service.kit.language import Text
from service.kit.tiers import redact
from service.listings.schemas import POSTED_BY, Kind, Listing
from service.listings.tiers import relations_of, view_of
from service.matches.relations import STRANGERS, Relation
from service.needs.schemas import content_of as need_content
from service.outcomes.schemas import content_of as outcome_content

PAGE = 200
FORMATS: dict[str, Format] = {".csv": "csv", ".xlsx": "xlsx", ".jsonl": "jsonl"}


def format_of(path: Path) -> Format:
    """The format that a file's name asks for.

    Raises:
        ValidationProblem: the ending is none of the three.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        text = Text("文件名应以 .csv、.xlsx 或 .jsonl 结尾", "The file's name must end in .csv, .xlsx or .jsonl")
        raise ValidationProblem([FieldProblem("path", "known_format", text)])
    return form


async def export_path(
    pool: Pool,
    actor: Actor,
    kind: ImportKind,
    path: Path,
    *,
    form: Format | None = None,
    states: list[str] | None = None,
    language: str = "en",
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Write what the actor may see to a file; how many records it holds.

    The file appears whole or not at all: it is written beside its place and moved there at the end.

    Raises:
        ValidationProblem: a text is longer than a spreadsheet cell holds. Forbidden: the list is not the actor's to have.
    """
    chosen = form or format_of(path)
    if kind == "organizations" and not actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM):
        raise Forbidden(
            Text("导出单位需要运营方或管理员密钥", "Exporting organizations takes an operator or administrator key")
        )
    async with transaction(pool, actor) as connection:
        book = await codebook.load(connection)
    scratch = path.with_name(f".{path.name}.part")
    writer = open_writer(scratch, chosen, kind, language, book.labels)
    count = 0
    try:
        async for records in _pages(pool, actor, kind, states):
            for record in records:
                writer.add(record)
            count += len(records)
            if on_progress is not None:
                on_progress(len(records))
        writer.close()
    except BaseException as error:
        # What was written so far is closed before it goes: a refused request keeps no file open.
        with suppress(Exception):
            writer.close()
        scratch.unlink(missing_ok=True)
        if isinstance(error, CellTooLongError):
            text = Text(f"有内容超过单元格上限，请改用 CSV 或 JSON Lines（{error}）", str(error))
            raise ValidationProblem([FieldProblem("format", "cell_too_long", text)]) from error
        raise
    scratch.replace(path)
    return count


async def _pages(
    pool: Pool, actor: Actor, kind: ImportKind, states: list[str] | None
) -> AsyncIterator[list[dict[str, Any]]]:
    after: UUID | None = None
    while True:
        async with transaction(pool, actor) as connection:
            listing_kind = KINDS[kind]
            if listing_kind is None:
                rows = await repository.export_organizations(connection, after, PAGE)
                records = [_organization(row) for row in rows]
            else:
                rows = await repository.export_page(
                    connection, listing_kind, after, actor.is_staff, actor.organization_id, states, PAGE
                )
                near = await relations_of(connection, actor, [row["id"] for row in rows])
                records = [_listing(actor, row, near.get(row["id"], STRANGERS)) for row in rows]
        if records:
            yield records
        if len(rows) < PAGE:
            return
        after = rows[-1]["id"]


def _organization(row: Row) -> dict[str, Any]:
    return OrganizationContent.model_validate(
        {name: row[name] for name in OrganizationContent.model_fields}
    ).model_dump(mode="json")


def _listing(actor: Actor, row: Row, relation: Relation) -> dict[str, Any]:
    """A listing's content, with the organization under the name by which an import finds it again."""
    listing = Listing.model_validate(dict(row) | {"organization": None})
    view = view_of(actor, listing, relation)
    content = need_content(listing) if listing.kind is Kind.NEED else outcome_content(listing)
    named = (row["organization_external_id"] or row["organization_name"]) if POSTED_BY.to(view) else None
    return {"organization": named} | redact(content, view).model_dump(mode="json")
