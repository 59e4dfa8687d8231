"""What organizations and people of the market were told, and the endpoints that they have, with canaries in the texts."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import asyncpg

INSERT_NOTIFICATION = """
insert into notification (event_id, organization_id, person_id, for_role, category, subject_kind, subject_id, action,
                          text_zh, text_en, in_app, mailing, at, created_at)
values (uuidv7(), $1, $2, $3, 'listing', 'need', uuidv7(), 'publish', $4, $4, true, 'off', now(), now()) returning id
"""
INSERT_WEBHOOK = """
insert into webhook (organization_id, url, description, state, disabled_reason, secret)
values ($1, $2, $3, $4, case when $4 = 'disabled' then 'asked' end, sha256('a') || sha256('b')) returning id
"""
INSERT_DELIVERY = """
insert into webhook_delivery (webhook_id, organization_id, subject_id, type, body, state, next_at, created_at)
values ($1, $2, $1, 'webhook.test', $3, 'dead', now(), now()) returning id
"""
# Kind, id, house, state, and what it is of: as a Subject is made.
Made = tuple[str, UUID, str, str, dict[str, Any], UUID | None]


async def make_notices(
    connection: asyncpg.Connection,
    houses: Mapping[str, UUID],
    people: Mapping[str, UUID],
    word: Callable[[str, str], str],
) -> list[Made]:
    """Notifications to organizations, to operators within one and to people; endpoints in both states, each with a delivery.

    `word` makes a canary by its guard and house.
    """
    made: list[Made] = []
    for house in "AXT":
        row = (houses[house], None, None, word("told", house))
        made.append(
            ("notification", await connection.fetchval(INSERT_NOTIFICATION, *row), house, "organization", {}, None)
        )
    for house in "AT":
        row = (houses[house], None, "operator", word("told to operators", house))
        made.append(
            ("notification", await connection.fetchval(INSERT_NOTIFICATION, *row), house, "operators", {}, None)
        )
    for house in "AX":
        row = (None, people[house], None, word("told to oneself", house))
        made.append(("notification", await connection.fetchval(INSERT_NOTIFICATION, *row), house, "person", {}, None))
    for house, state in (("A", "enabled"), ("A", "disabled"), ("X", "enabled")):
        url = f"https://{word('told', house)}.example/"
        hook = await connection.fetchval(INSERT_WEBHOOK, houses[house], url, word("told", house), state)
        delivery = await connection.fetchval(INSERT_DELIVERY, hook, houses[house], word("told", house))
        made.append(("webhook", hook, house, state, {}, None))
        made.append(("delivery", delivery, house, "dead", {}, hook))
    return made
