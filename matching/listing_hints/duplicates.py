"""Near-duplicates: whether two listings are one and the same, in other words or with other figures.

Texts are compared by their shingles, runs of consecutive units (Broder 1997, On the resemblance and containment of
documents): resemblance |A ∩ B| / |A ∪ B|, and containment |A ∩ B| / |A| of the shorter in the longer. Both can be shown to
an author, which the distance of two vectors cannot. Figures are left out of the shingles and compared apart: the same
device in a second size is a near-duplicate, and its figures are what differs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from matching.listing_hints.figures import figures_of
from matching.listing_hints.units import units
from matching.types import Profile

# Units in a row: three Han characters hold about two words, three words of English a phrase.
SHINGLE = 3
# Of less text than this nothing can be said.
LEAST_SHINGLES = 12
# Copies of the demonstration's listings with another title, other figures, without indicators, the last sentence cut off and
# the rest in reverse order are recognized for 295 of 307; no two of its listings of one kind reach a resemblance of 0.14, or
# a containment above 0.5.
RESEMBLANCE = 0.35
CONTAINMENT = 0.6
MOST_DIFFERENCES = 20
SECTIONS = frozenset({"title", "description", "goals", "innovations", "applications", "background", "indicators"})


@dataclass(frozen=True, slots=True)
class FigureDifference:
    """A quantity that both listings give, with other figures: the words of each."""

    quantity: str
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much two texts share: resemblance and containment of the shorter one, both from 0 to 1."""

    resemblance: float
    containment: float

    @property
    def similarity(self) -> float:
        """The greater of the two: a text that stands whole in another one is its duplicate, however long that is."""
        return max(self.resemblance, self.containment)

    @property
    def is_near_duplicate(self) -> bool:
        """Whether the two are one listing."""
        return self.resemblance >= RESEMBLANCE or self.containment >= CONTAINMENT


def shingles(texts: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """Runs of three units of each text, without figures; a shorter text is one shingle.

    >>> sorted(shingles(["含水率≤13%"]))
    [('含', '水', '率')]
    """
    found: set[tuple[str, ...]] = set()
    for text in texts:
        parts = [unit for unit in units(text) if not unit[0].isdigit()]
        found.update(tuple(parts[start : start + SHINGLE]) for start in range(max(1, len(parts) - SHINGLE + 1)))
    found.discard(())
    return frozenset(found)


def shingles_of(profile: Profile) -> frozenset[tuple[str, ...]]:
    """The shingles of what a listing says of itself; of its company and partners nothing."""
    return shingles(passage.text for passage in profile.passages if passage.section in SECTIONS)


def overlap(here: frozenset[tuple[str, ...]], there: frozenset[tuple[str, ...]]) -> Overlap:
    """Resemblance and containment of two sets of shingles; nothing where one is too small to tell.

    >>> overlap(shingles(["甲乙丙丁戊己庚辛壬癸子丑寅卯"]), shingles(["甲乙丙丁戊己庚辛壬癸子丑寅辰"]))
    Overlap(resemblance=0.8461538461538461, containment=0.9166666666666666)
    """
    shorter = min(len(here), len(there))
    if shorter < LEAST_SHINGLES:
        return Overlap(0.0, 0.0)
    shared = len(here & there)
    return Overlap(shared / len(here | there), shared / shorter)


def figure_differences(here: Profile, there: Profile) -> tuple[FigureDifference, ...]:
    """Quantities of both listings whose figures differ, in the order of the first."""
    theirs: dict[str, list[tuple[str, str]]] = {}
    for passage in there.passages:
        for figure in figures_of(passage.text):
            theirs.setdefault(figure.quantity, []).append((figure.value, figure.text))
    found: dict[str, FigureDifference] = {}
    for passage in here.passages:
        for figure in figures_of(passage.text):
            others = theirs.get(figure.quantity, [])
            if figure.quantity and others and all(value != figure.value for value, _ in others):
                found.setdefault(figure.quantity, FigureDifference(figure.quantity, figure.text, others[0][1]))
    return tuple(found.values())[:MOST_DIFFERENCES]
