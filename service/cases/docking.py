"""What a case makes of its need: `docking` while both consent in some case of it. The state itself is the room of listings'."""

from service.cases.records import TALKING, Case
from service.kit.actor import Actor
from service.kit.db import Connection
from service.listings import service as listings


def concerns(before: Case, after: Case) -> bool:
    """Whether a step began or ended the talks, or the contract that came of them. Does no I/O."""
    return (before.state in TALKING) != (after.state in TALKING)


async def follow(connection: Connection, actor: Actor, before: Case, after: Case) -> None:
    """Let the need follow a step that was saved and recorded."""
    if concerns(before, after):
        await listings.settle_docking(connection, actor, after.need_id)
