"""Administrative divisions as the API shows them."""

from enum import StrEnum

from pydantic import BaseModel


class RegionClass(StrEnum):
    """The four-region classification of regional statistics."""

    EAST = "east"
    CENTRAL = "central"
    WEST = "west"
    NORTHEAST = "northeast"


class Region(BaseModel):
    """A division of GB/T 2260."""

    code: str
    name_zh: str
    name_en: str
    level: str
    parent: str | None
    region_class: RegionClass | None


class PartnerPair(BaseModel):
    """Two regions that cooperate under a programme."""

    from_region: str
    to_region: str
    program: str
    note_zh: str
    source: str


def region_prefix(code: str) -> str:
    """What the codes of a region of GB/T 2260 and of all in it begin with.

    >>> region_prefix("640000"), region_prefix("640100"), region_prefix("640104")
    ('64', '6401', '640104')
    """
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
