"""What a change changed, field by field, as an event may keep it: an event is never erased.

Contact fields appear masked only, and contact data within a text is left out; a long value stands as its digest and
length, by which the revision that holds it whole can be recognized.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson

from matching.listing_hints.contacts import without_contacts
from service.kit.masking import mask_email, mask_name, mask_phone

# Characters beyond which a value is kept as its digest.
LONGEST = 2_000
MASKS: Mapping[str, Callable[[str], str]] = {
    "contact_name": mask_name,
    "contact_phone": mask_phone,
    "contact_email": mask_email,
}

# What looks like contact data here is what everybody may know.
PUBLIC = frozenset({"website"})


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], *, secret: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """The fields of `after` whose value differs in `before`, each with both values as an event may keep them.

    Values are JSON values; of a field in `secret` only their length is kept.
    That a masked field changed is seen from its being there, even where the masks are alike.

    >>> changes({"title": "a", "maturity": 4, "id": 1}, {"title": "a", "maturity": 5})
    {'maturity': {'before': 4, 'after': 5}}
    >>> changes({"contact_phone": "13812345678"}, {"contact_phone": None})
    {'contact_phone': {'before': '138****5678', 'after': None}}
    >>> changes({"goals": "abc"}, {"goals": "abcd"}, secret={"goals"})
    {'goals': {'before': {'characters': 3}, 'after': {'characters': 4}}}
    """

    def shown(name: str, value: Any) -> Any:
        # Not even a digest: a figure is guessed, and the digest tells who guessed right.
        return {"characters": len(_as_text(value))} if value is not None and name in secret else kept(name, value)

    return {
        name: {"before": shown(name, before.get(name)), "after": shown(name, value)}
        for name, value in after.items()
        if before.get(name) != value
    }


def kept(name: str, value: Any) -> Any:
    """One field's value as an event may keep it.

    >>> kept("description", "电话13800000000")
    '电话'
    >>> kept("description", "x" * 3_000)["characters"]
    3000
    """
    if value is None:
        return None
    if name in PUBLIC:
        return value
    if name in MASKS:
        return MASKS[name](str(value))
    text = _as_text(value)
    if len(text) > LONGEST:
        return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "characters": len(text)}
    return _without_contacts(value)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _without_contacts(value: Any) -> Any:
    if isinstance(value, str):
        return without_contacts(value)
    if isinstance(value, list):
        return [_without_contacts(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _without_contacts(entry) for name, entry in value.items()}
    return value
