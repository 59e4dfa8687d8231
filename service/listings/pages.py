"""A page of listings, from the parameters of a request."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query

from service.errors import ValidationProblem
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.pages import Page, decode_id, encode_cursor
from service.listings.repository import unknown_code
from service.listings.schemas import Kind
from service.listings.search import Filters, Summary, region_family, search

# Of a history's newest fifty, or of the fifty before a revision.
Before = Annotated[
    int | None,
    Query(
        ge=1,
        le=2**31 - 1,
        description="Only revisions before this one, the fifty latest of them; without it the fifty latest of all "
        "/ 仅此版本之前的修订，至多最近 50 版；不填为最近 50 版",
    ),
]


async def search_page(
    connection: Connection,
    actor: Actor,
    kind: Kind,
    filters: Filters,
    region: str | None,
    limit: int,
    cursor: str | None,
) -> Page[Summary]:
    """One page of what the actor may see, newest first.

    Raises:
        ValidationProblem: the region or the cursor is not one.
    """
    before = decode_id(cursor)
    if region is not None:
        family = await region_family(connection, region)
        if not family:
            raise ValidationProblem([unknown_code("region", region)])
        filters = replace(filters, regions=family)
    found = await search(connection, kind, filters, actor, before=before, limit=limit + 1)
    more = encode_cursor(str(found[limit - 1].id)) if len(found) > limit else None
    return Page(items=found[:limit], next=more)
