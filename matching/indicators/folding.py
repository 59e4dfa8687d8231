"""Text as the parser reads it: compatible forms united, with every place traced back to what was written."""

import unicodedata
from dataclasses import dataclass

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-", strict=True))
# Signs that mean the same here. Dashes longer than a hyphen never join the parts of a name, so that they stay apart.
SIGNS = {
    "−": "-", "‐": "-", "‑": "-", "﹣": "-", "—": "–", "―": "–", "─": "–", "～": "~", "∼": "~", "〜": "~", "˜": "~",
    "≧": "≥", "⩾": "≥", "≦": "≤", "⩽": "≤", "＞": ">", "＜": "<", "﹥": ">", "﹤": "<", "≒": "≈", "•": "·", "⋅": "·",
    "∙": "·", "・": "·", "✕": "×", "╳": "×", "∶": ":", "٪": "%", "٫": ".", "٬": ",", "،": ",", "؛": ";", "º": "°", "˚": "°",
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "µ": "μ",
}  # fmt: skip
# Vowel marks, the stretching stroke and invisible directions of Arabic, and other characters without width.
DROPPED = frozenset([*map(chr, range(0x064B, 0x0653)), "\u0640", *map(chr, range(0x200B, 0x2010)),
                     *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2060, 0x206A)), "\ufeff"])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. `lower` is of the same length; `places` gives for each place the one in `original`."""

    text: str
    lower: str
    original: str
    places: tuple[int, ...]

    def written(self, start: int, end: int) -> str:
        """What the original has between two places, stripped."""
        return self.original[self.places[start] : self.places[end]].strip()


def fold(original: str) -> Folded:
    """Unite full and half width, digits of all scripts, dashes and Arabic spellings. A raised figure gets a `^` before it.

    >>> fold("８０％，10⁵ m²，٢٥ ℃").text
    '80%,10^5 m^2,25 °C'
    """
    pieces: list[str] = []
    places: list[int] = []
    raised = False
    for place, character in enumerate(original):
        folded = _folded(character)
        superscript = character in SUPERSCRIPTS
        if superscript and not raised:
            folded = "^" + folded
        raised = superscript
        pieces.append(folded)
        places.extend([place] * len(folded))
    text = "".join(pieces)
    lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return Folded(text, lower, original, (*places, len(original)))


def _folded(character: str) -> str:
    if character in DROPPED:
        return ""
    if character in SUPERSCRIPTS:
        return SUPERSCRIPTS[character]
    if character in SIGNS:
        return SIGNS[character]
    if character.isdigit() and (value := unicodedata.decimal(character, -1)) != -1:
        return str(value)
    if "①" <= character <= "⓿":
        # Circled numbers number entries; folded they would be digits like any other.
        return character
    made = unicodedata.normalize("NFKC", character)
    return "".join(SIGNS.get(each, each) for each in made if each not in DROPPED)
