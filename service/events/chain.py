"""The hash chain over events, as arithmetic: no database, so that a check does not trust what it checks.

**Canonical form.** Thirteen fields in a fixed order, each written as a netstring (length in bytes, colon, UTF-8 bytes,
comma; null is `-,`), so that no two events share a form. The instant is a whole number of microseconds since
1970-01-01 UTC, keys are in lower case, `data` is the JSON text that PostgreSQL writes for a jsonb. The digest is the
SHA-256 of that (FIPS 180-4). **Chain.** A seal's hash is the SHA-256 of the hash before it (32 zero bytes before the
first), its position as 8 bytes, big-endian, and its digest: whoever knows one hash knows all that came before.
"""

import hashlib
from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter

FORM = "duijie-event-1"
ZERO = bytes(32)


@dataclass(frozen=True, slots=True)
class Event:
    """An event in the texts that are sealed, in the order of the canonical form."""

    id: str
    at_microseconds: str
    key_id: str | None
    organization_id: str | None
    request_id: str
    address_class: str
    subject_kind: str
    subject_id: str
    action: str
    from_state: str | None
    to_state: str | None
    data: str


_texts_of = attrgetter(*(each.name for each in fields(Event)))


@dataclass(frozen=True, slots=True)
class Seal:
    """An event's place in the chain; `digest` and `hash` are 32 bytes each."""

    position: int
    event_id: str
    digest: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the chain and the hash there; position 0 with 32 zero bytes is the beginning.

    >>> str(Point(0, ZERO))[:10]
    '0:00000000'
    """

    position: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"


BEGINNING = Point(0, ZERO)


class Fault(StrEnum):
    """What can be wrong with a chain."""

    EVENT_CHANGED = "event_changed"
    EVENT_MISSING = "event_missing"
    SEAL_MISSING = "seal_missing"
    REORDERED = "reordered"
    LINK_BROKEN = "link_broken"
    EVENT_UNSEALED = "event_unsealed"
    TAIL_MISSING = "tail_missing"
    ANCHOR_DIFFERS = "anchor_differs"
    ANCHOR_PRUNED = "anchor_pruned"
    CHECKPOINT_UNFOUNDED = "checkpoint_unfounded"


@dataclass(frozen=True, slots=True)
class Break:
    """The first thing that is wrong: which fault, at which position (None: an event outside the chain), which event.

    `other` is, of a reordering, the position where what belongs here was found.
    """

    fault: Fault
    position: int | None
    event_id: str | None = None
    other: int | None = None


def field(value: str | None) -> bytes:
    """One field of the canonical form.

    >>> field("对接"), field(""), field(None)
    (b'6:\\xe5\\xaf\\xb9\\xe6\\x8e\\xa5,', b'0:,', b'-,')
    """
    if value is None:
        return b"-,"
    encoded = value.encode()
    return b"%d:%b," % (len(encoded), encoded)


def canonical(event: Event) -> bytes:
    """The bytes of an event that its digest is of."""
    return field(FORM) + b"".join(map(field, _texts_of(event)))


def digest_of(event: Event) -> bytes:
    """SHA-256 of the canonical form: 32 bytes."""
    return hashlib.sha256(canonical(event)).digest()


def link(previous: bytes, position: int, digest: bytes) -> bytes:
    """The hash of the seal at `position`, after the hash `previous`: 32 bytes.

    >>> link(ZERO, 1, ZERO) == hashlib.sha256(bytes(32) + bytes([0, 0, 0, 0, 0, 0, 0, 1]) + bytes(32)).digest()
    True
    """
    return hashlib.sha256(previous + position.to_bytes(8, "big") + digest).digest()


def follow(before: Point, seal: Seal, event: Event | None) -> Point | Break:
    """Check one seal against the point before it: the next point, or what is wrong.

    One seal alone does not show that it was exchanged with another: that looks like a changed event or a broken link.
    """
    expected = before.position + 1
    if seal.position != expected:
        return Break(Fault.SEAL_MISSING, expected)
    if event is None:
        return Break(Fault.EVENT_MISSING, seal.position, seal.event_id)
    if event.id != seal.event_id or digest_of(event) != seal.digest:
        return Break(Fault.EVENT_CHANGED, seal.position, seal.event_id)
    if link(before.hash, seal.position, seal.digest) != seal.hash:
        return Break(Fault.LINK_BROKEN, seal.position, seal.event_id)
    return Point(seal.position, seal.hash)
