"""English and Arabic words by their forms: what two spellings or inflections of one word have in common.

A word of the term list has one key; a word of a text has several forms, from what is written to what it may be an
inflection of, and matches where one of them is the key. So "coated" finds the listed "coat", but "feeding" and "feed",
which the list has both, stay apart.
"""

import re
import unicodedata
from functools import lru_cache

# A mark ends a phrase; it is a word of its own here, which no listed term has.
TOKEN = re.compile(
    r"[a-z]*\d+(?:[.,]\d+)+|[a-z0-9]+|[\u0621-\u064a\u066e-\u06d3]+|[.,;:!?()\n\u060c\u061b\u061f]", re.IGNORECASE
)
MOST_TOKEN = 64
_IN_LATIN = re.compile(r"(?<=[^\W\d_])['’](?=[^\W\d_])")
_POSSESSIVE = re.compile(r"['’]s\b")
_INITIAL = re.compile(r"\b([A-Z])\.(?=\s?[a-z])")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_MARKS = re.compile(r"[\u0640\u064b-\u065f\u0670]")
_ARABIC_LETTERS = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي"}
    | {chr(start + digit): str(digit) for start in (0x0660, 0x06F0) for digit in range(10)}
)

# American spelling stands for both. What the second pattern takes along with the verbs in -ise ("noise") it takes on
# both sides.
_BRITISH = {
    "sulph": "sulf",
    "colour": "color",
    "flavour": "flavor",
    "odour": "odor",
    "vapour": "vapor",
    "labour": "labor",
    "tumour": "tumor",
    "behaviour": "behavior",
    "mould": "mold",
    "fibre": "fiber",
    "centre": "center",
    "metre": "meter",
    "litre": "liter",
    "aluminium": "aluminum",
    "grey": "gray",
    "tyre": "tire",
    "anaes": "anes",
    "paed": "ped",
    "haem": "hem",
}
_SPELLING = re.compile("|".join(_BRITISH))
_VERB_IN_ISE = re.compile(r"(?<=\w\w)([iy])s(e|es|ed|er|ers|ing|ation|ations)$")
_IRREGULAR = {
    "gases": "gas",
    "viruses": "virus",
    "analyses": "analysis",
    "leaves": "leaf",
    "calves": "calf",
    "mice": "mouse",
    "women": "woman",
    "bacterium": "bacteria",
    "fungus": "fungi",
    "alga": "algae",
}
_SAME_IN_PLURAL = ("ss", "us", "is")
_PLURAL_IN_ES = ("ches", "shes", "sses", "xes", "zzes", "oes")
LEAST_INFLECTED = 4

# Light10 of Larkey, Ballesteros and Connell 2007 ("Light stemming for Arabic information retrieval"), in its order; it is
# the successor of the light8 in their "Improving stemming for Arabic information retrieval" of 2002.
_ARTICLES = ("وال", "بال", "كال", "فال", "ال", "لل")
_SUFFIXES = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي")
_CONJUNCTION = "و"
_PREPOSITIONS = ("ب", "ل", "ف", "ك")
_ACCUSATIVE = "ا"
# A ة before a pronoun is written ت: جودتها (its quality).
_PRONOUNS_AFTER_FEMININE = ("تهما", "تهم", "تها", "تنا", "ته")
# With its letters made alike, إلى (to) would be آلي (automatic).
_TO = re.compile(r"\b[إا]لى\b")
LEAST_WITHOUT_ARTICLE = 2
# Light10 leaves two letters, which makes خلية (cell) and خل (vinegar) one word.
LEAST_WITHOUT_SUFFIX = 3
LEAST_AFTER_LETTER = 3


def tokens(text: str) -> list[str]:
    """Words and marks of a text in order, with case as written; compatible forms, accents and diacritics removed.

    A hyphen parts words like a space.

    >>> tokens("Heat-pump drying (≤ 60 °C), CO₂"), tokens("الطّاقة الشمسيّة")
    (['Heat', 'pump', 'drying', '(', '60', 'C', ')', ',', 'CO2'], ['الطاقه', 'الشمسيه'])
    """
    arabic = _MARKS.sub("", _TO.sub("الا", unicodedata.normalize("NFKC", text)).translate(_ARABIC_LETTERS))
    latin = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", arabic)))
    plain = _IN_LATIN.sub("", _POSSESSIVE.sub("", latin))
    return [token[:MOST_TOKEN] for token in TOKEN.findall(_INITIAL.sub(r"\1 ", plain))]


def key(token: str, *, follows: bool = False) -> tuple[str, ...]:
    """Under what a token of a listed term is found: one form, or two where an article or conjunction may stand before it.

    `follows` says that it isn't the first word of its term.

    >>> key("Batteries"), key("طاقه"), key("المكافحه"), key("وقود", follows=True)
    (('battery',), ('طاق',), ('مكافح', 'المكافح'), ('وقود', 'قود'))
    """
    if not _is_arabic(token):
        return (_english(token.casefold()),)
    starts = _starts(token) if follows else [token]
    return tuple(dict.fromkeys(form for start in starts for form in _stems(start)))


@lru_cache(maxsize=65536)
def forms(token: str) -> tuple[str, ...]:
    """What a token of a text may be a form of; the nearest to what is written comes first.

    >>> forms("Controlled"), forms("drying")
    (('controlled', 'controll', 'controlle', 'control'), ('drying', 'dry', 'drye'))
    >>> forms("وبالطاقه"), forms("لمعالجه")
    (('وبالطاق', 'طاق', 'بالطاق', 'الطاق'), ('لمعالج', 'معالج'))
    """
    found = _arabic_forms(token) if _is_arabic(token) else _english_forms(_english(token.casefold()))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=65536)
def spellings(token: str) -> frozenset[str]:
    """A token of a text in lower case, and without the article, conjunction and preposition that it may have before it.

    >>> sorted(spellings("وبالطاقه")) == sorted(["وبالطاقه", "بالطاقه", "الطاقه", "طاقه"])
    True
    """
    found = {token.casefold()}
    if _is_arabic(token):
        starts = _starts(token)
        found.update(starts)
        found.update(start.removeprefix(article) for start in starts for article in _ARTICLES)
        found.update(start[1:] for start in starts if start.startswith(_PREPOSITIONS))
        # An adjective stands in either gender.
        found.update([word.removesuffix("ه") for word in found if word.endswith("يه")])
    return frozenset(found)


def _is_arabic(token: str) -> bool:
    return token[0] >= "\u0600"


def _english(word: str) -> str:
    """A word in the singular and in American spelling."""
    spelt = _VERB_IN_ISE.sub(r"\1z\2", _SPELLING.sub(lambda match: _BRITISH[match.group()], word))
    if spelt in _IRREGULAR:
        return _IRREGULAR[spelt]
    if len(spelt) < LEAST_INFLECTED or not spelt.endswith("s") or spelt.endswith(_SAME_IN_PLURAL):
        return spelt
    if spelt.endswith("ies") and len(spelt) > LEAST_INFLECTED:
        return spelt[:-3] + "y"
    return spelt[:-2] if spelt.endswith(_PLURAL_IN_ES) else spelt[:-1]


def _english_forms(word: str) -> list[str]:
    found = [word]
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base == word or len(base) < LEAST_INFLECTED - 1:
            continue
        found += [base, base + "e"]
        if base[-1] == base[-2]:
            found.append(base[:-1])
        if ending == "ed" and base.endswith("i"):
            found.append(base[:-1] + "y")
    return found


def _arabic_forms(token: str) -> list[str]:
    starts = _starts(token)
    found = [form for start in starts for form in _stems(start)]
    for start in starts:
        if len(start) <= LEAST_AFTER_LETTER:
            continue
        if start.startswith(_PREPOSITIONS):
            found.append(_without_suffixes(start[1:]))
        if start.endswith(_ACCUSATIVE):
            found += _stems(start[:-1])
        ending = next((each for each in _PRONOUNS_AFTER_FEMININE if start.endswith(each)), "")
        if ending and len(start) - len(ending) >= LEAST_WITHOUT_SUFFIX:
            found += _stems(start.removesuffix(ending))
    return found


def _starts(token: str) -> list[str]:
    """A word, and what follows its first letter if that may be a conjunction."""
    bare = token.startswith(_CONJUNCTION) and len(token) > LEAST_AFTER_LETTER
    return [token, token[1:]] if bare else [token]


def _stems(word: str) -> list[str]:
    """A word without its endings: without its article, and as it is, since ألواح (panels) only looks as if it had one.

    Light10 takes a leading و as well; here the callers try with and without it, since in وقود (fuel) it belongs to the
    word.
    """
    article = next((each for each in _ARTICLES if word.startswith(each)), None)
    if article is None or len(word) - len(article) < LEAST_WITHOUT_ARTICLE:
        return [_without_suffixes(word)]
    return [_without_suffixes(word.removeprefix(article)), _without_suffixes(word)]


def _without_suffixes(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= LEAST_WITHOUT_SUFFIX:
            word = word.removesuffix(suffix)
    return word
