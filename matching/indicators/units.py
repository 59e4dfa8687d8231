"""Unit words of three languages as data, read into pint's notation; and what can be converted into what."""

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pint

TABLE = Path(__file__).with_name("units.tsv")
Strength = Literal["", "weak", "per"]

# What pint does not know, or knows as a bare number: money of two countries is no more convertible than metres into hours.
DEFINITIONS = (
    "CNY = [money_cny]",
    "USD = [money_usd]",
    "EUR = [money_eur]",
    "mu = 2000 / 3 * meter ** 2",
    "ppb = 1e-9",
)


@cache
def registry() -> "pint.UnitRegistry[float]":
    """The one registry. Made when first asked for: pint reads its definitions in a good fraction of a second."""
    import pint

    made: pint.UnitRegistry[float] = pint.UnitRegistry(on_redefinition="ignore")
    for definition in DEFINITIONS:
        made.define(definition)
    return made


@dataclass(frozen=True, slots=True)
class UnitWord:
    """A word of the table: its notation, and how strongly it speaks for a figure."""

    word: str
    notation: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit found in a text: its notation and where it ends.

    `factor` turns what was written into the notation (斤 into kg, N/3cm into N/cm). `scale` names a scale of pure numbers,
    such as one of hardness, which belongs to the quantity.
    """

    notation: str
    end: int
    weak: bool = False
    factor: float = 1.0
    scale: str = ""


@cache
def _words() -> dict[str, tuple[UnitWord, ...]]:
    """Words by first character, the longest first. Words of Latin letters beyond a symbol's length are in lower case."""
    found: dict[str, list[UnitWord]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            continue
        notation, words, *rest = line.split("\t")
        strength: Strength = "weak" if rest == ["weak"] else "per" if rest == ["per"] else ""
        for word in words.split("|"):
            found.setdefault(word[0], []).append(UnitWord(word, notation, strength))
    return {first: tuple(sorted(words, key=lambda each: -len(each.word))) for first, words in found.items()}


_LATIN = re.compile(r"[a-zA-Zα-ωΑ-ΩμΩ]")
_ARABIC = re.compile(r"[\u0621-\u064a]")
_HAN = re.compile(r"[\u3400-\u9fff]")
# A raised figure (m^2), a bare 2 or 3 after a length (m3), or a minus after the first factor (W m-1 K-1).
_RAISED = re.compile(r"\^\(?([+-]?\d)\)?")
_BARE = re.compile(r"([23])(?!\d)")
_MINUS = re.compile(r"(-[1-4])(?!\d)")
_LENGTHS = frozenset({"m", "cm", "mm", "dm", "km", "um", "nm"})
# What a Han word that reads like a unit begins: 元素 is no money, 天然 no day, 分子 no minute.
_OTHER_WORDS = re.compile(
    r"元(?:素|件|器|组|复合|催化|材料|正极|前驱|锂|结构|乙|丙|钠|共)|天(?:然|津|线|窗|气|文|山|水市|车)"
    r"|升(?:级|降|温|高|压|华|学)|方(?:案|面|法|式|向|位|程|便|形|可|才)"
    r"|度(?:的)?(?:融合|学习|开发|假|量|角|数)|安(?:全|装|排|徽)|牛(?:奶|肉|羊|场|舍|粪|皮|只|用)|年(?:度"
    r"|级|轮|龄|代|初|底|前|来)|周(?:边|围|期|转|长)"
    r"|克(?:服|隆|拉)|米(?:粉|饭|糠|其)|目(?:前|标|的|录)|台(?:阶|账|风)|点(?:位|型)|项目|人(?:员|才|工|机"
    r"|体|造|类)|头(?:部|等)|片(?:区|状)|条(?:件|例)|口(?:径|感)"
    r"|位(?:于|置|移)|路(?:径|面|线|由)|件(?:套)?号|次(?:级|生|要|序)|株(?:洲|系|型|高)|粒(?:径|度|子)"
    r"|剂(?:量)|批(?:次|量)|组(?:织|件|成|合|份)|个(?:性|体|人)|种(?:植|子|苗|养)|家(?:庭|禽|用)"
    r"|份(?:额)|千瓦(?:级)|名(?:称|牌|优)|户(?:外|用)|例(?:如)|分(?:子|析|布|类|级|别|离|散|辨|贝|为|段|层"
    r"|解|支|成|期|批)|秒(?:级)|时(?:间|效|段|延)|月(?:度|份)|日(?:常|本)|欧(?:洲|美|盟)"
    r"|升(?:至|到)|支(?:持|撑|架)|只(?:需|要|能|有)|块(?:状)|根(?:据|系|部|本)|张(?:力|拉)|颗(?:粒)"
    r"|座(?:位|谈)|处(?:理|于|置)|辆(?:均)|两(?:侧|端|种|个|类|者|面|级|步|相|步法|用|层|次|大)|套(?:管|筒"
    r"|袋|种)"
    r"|循环(?:经济|利用|冷却|水|流化|泵)|单位(?:面积|体积|产品|时间|质量)|巴(?:士|西|旦)|摩(?:擦|托)|伏(?:特加|法)"
)


def read_unit(text: str, place: int) -> Unit | None:
    """The unit that begins at a place of a folded text, spaces before it skipped; None where there is none.

    >>> read_unit("5 mg/(cm^2·d) more", 1)
    Unit(notation='mg/cm^2/day', end=13, weak=False, factor=1.0, scale='')
    >>> read_unit("5元/亩以上", 1)
    Unit(notation='CNY/mu', end=4, weak=False, factor=1.0, scale='')
    """
    place = _skip(text, place)
    if text.startswith("/", place) and (inverse := _factor(text, place + 1)):
        return Unit(f"1/{inverse.notation}", inverse.end, factor=1 / inverse.factor)
    first = _factor(text, place, first=True)
    return _more(text, first) if first else None


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] == " ":
        place += 1
    return place


_SEPARATOR = re.compile(
    r"(?P<slash>\s?/\s?)|(?P<times>\s?[·*]\s?)|(?P<word>每|\s?per\s(?:square\s)?|\san?\s(?=(?:year|day"
    r"|hour|month|week)\b)"
    r"|\sلكل\s|\sفي\s(?:ال)?(?=(?:يوم|ساعة|سنة|عام|شهر|ليلة))|\sلل|\s(?=سنويا|يوميا|annually|daily))"
    r"|(?P<blank>\s(?=[A-Za-z]{1,4}\^?-[1-4]))"
)
# g/100 mL, N/3cm: so many of the unit below the line.
_MANY = re.compile(r"(\d{1,4})\s?(?=[a-zA-Zμ\u3400-\u9fff\u0621-\u064a])")


def _more(text: str, unit: Unit) -> Unit:
    """Further factors: after a slash, after a word for "per", after a multiplication sign, or with a negative power.

    What follows a slash without brackets divides too (W/m·K), as people write it.
    """
    divided = False
    while separator := _SEPARATOR.match(text, unit.end):
        times, blank = separator["times"] is not None, separator["blank"] is not None
        divides = divided if times else not blank
        place = separator.end()
        bracketed = not times and not blank and text.startswith("(", place)
        factor = _part(text, place + bracketed)
        if factor is None or (blank and "^-" not in factor.notation):
            break
        if bracketed:
            factor = _more(text, factor)
            if not text.startswith(")", factor.end):
                break
            factor = replace(factor, notation=factor.notation.replace("*", "/"), end=factor.end + 1)
        if divides and "^-" in factor.notation:
            divides = False
        divided = divided or not (times or blank)
        scale = 1 / factor.factor if divides else factor.factor
        unit = Unit(
            f"{unit.notation or '1'}{'/' if divides else '*'}{factor.notation}",
            factor.end,
            False,
            unit.factor * scale,
            unit.scale,
        )
    return unit


def _part(text: str, place: int) -> Unit | None:
    many = _MANY.match(text, place)
    found = _factor(text, many.end() if many else place)
    return replace(found, factor=found.factor * float(many[1])) if many and found and float(many[1]) else found


def _factor(text: str, place: int, *, first: bool = False) -> Unit | None:
    for word in _words().get(text[place : place + 1], ()) + _words().get(text[place : place + 1].lower(), ()):
        if not _stands_at(word.word, text, place) or (first and word.strength == "per"):
            continue
        end = place + len(word.word)
        if first and _OTHER_WORDS.match(text, place):
            continue
        if word.notation.startswith("~"):
            return Unit("", end, scale=word.notation[1:])
        notation, factor = word.notation, 1.0
        if " " in notation:
            many, notation = notation.split(" ")
            factor = float(many)
        raised = _RAISED.match(text, end) or (_BARE.match(text, end) if notation in _LENGTHS else None)
        if raised is None and not first:
            raised = _MINUS.match(text, end)
        if raised:
            notation, end = f"{notation}^{int(raised[1])}", raised.end()
        elif _LATIN.match(word.word[-1]) and text[end : end + 1].isdigit():
            # "m5" or "A4": a name, unless the figure is raised.
            continue
        return Unit(notation, end, word.strength == "weak", factor)
    return None


def _stands_at(word: str, text: str, place: int) -> bool:
    end = place + len(word)
    written = text[place:end]
    # Symbols tell milli from mega by their case; words of four letters and more do not depend on it.
    if written != word and not (len(word) > 3 and written.lower() == word.lower()):
        return False
    after = text[end : end + 1]
    if _LATIN.match(word[-1]):
        return not (after and _LATIN.match(after))
    if _ARABIC.match(word[-1]):
        return not (after and _ARABIC.match(after))
    return True


@lru_cache(maxsize=4096)
def dimension_of(notation: str) -> str | None:
    """A key that two notations share exactly if one converts into the other; None where pint cannot read it."""
    if notation in ("dB", "dBm"):
        # A level above a reference; pint reads it as a pure number.
        return notation
    if notation == "count":
        # Pint reads a count as a pure number too; but three are no 300 %.
        return "[count]"
    try:
        return str(registry().parse_units(notation or "dimensionless").dimensionality)
    except Exception:  # pint raises many kinds, tokenizer's and Python's own among them
        return None


@lru_cache(maxsize=4096)
def conversion(source: str, target: str, *, difference: bool = False) -> tuple[float, float] | None:
    """Factor and offset that turn a value in `source` into one in `target`; None where there is no conversion.

    A difference of temperatures has no offset: a fall of 5 °C is one of 9 °F.
    """
    if source == target:
        return 1.0, 0.0
    if dimension_of(source) is None or dimension_of(source) != dimension_of(target):
        return None
    units: Any = registry()
    zero, one = (
        float(units.Quantity(value, source or "dimensionless").to(target or "dimensionless").magnitude)
        for value in (0.0, 1.0)
    )
    return one - zero, 0.0 if difference else zero
