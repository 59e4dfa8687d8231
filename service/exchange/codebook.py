"""Codes by every label that people write, loaded once for an import."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.exchange.cells import CodesByLabel, fold
from service.kit.db import Connection
from service.regions import service as regions
from service.taxonomy import service as taxonomy


@dataclass(frozen=True, slots=True)
class Codebook:
    """Codes by folded label for each list, and labels for the sheet of codes."""

    codes: CodesByLabel
    labels: dict[str, list[tuple[str, str, str]]]


async def load(connection: Connection) -> Codebook:
    """Every list that a column names."""
    lists: dict[str, list[tuple[str, str, str]]] = {
        name: [(entry.code, entry.label_zh, entry.label_en) for entry in entries]
        for name, entries in (await taxonomy.list_codes(connection)).items()
    }
    lists["fields"] = [(f.code, f.label_zh, f.label_en) for f in await taxonomy.list_fields(connection)]
    lists["industries"] = [(i.code, i.label_zh, i.label_en) for i in await taxonomy.list_industries(connection)]
    places = await regions.list_regions(connection)
    lists["regions"] = [(region.code, region.name_zh, region.name_en) for region in places]
    codes = {name: _by_label(entries) for name, entries in lists.items()}
    names = {region.code: region.name_zh for region in places}
    # People write the province before the city: 宁夏银川市, 福建省厦门市.
    for region in places:
        short = _short(region.name_zh)
        codes["regions"].setdefault(fold(short), region.code)
        parent = names.get(region.parent or "")
        if parent:
            for above in (parent, _short(parent)):
                for own in (region.name_zh, short):
                    codes["regions"].setdefault(fold(above + own), region.code)
    return Codebook(codes, lists)


def _by_label(entries: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    english: dict[str, set[str]] = {}
    for code, zh, en in entries:
        found[fold(code)] = code
        found.setdefault(fold(zh), code)
        english.setdefault(fold(en), set()).add(code)
    # An English name that two places share (Suzhou) tells neither.
    for label, codes in english.items():
        if len(codes) == 1:
            found.setdefault(label, next(iter(codes)))
    return found


_ENDINGS = ("壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "特别行政区", "省", "市", "地区", "县", "区")


def _short(name: str) -> str:
    for ending in _ENDINGS:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name[: -len(ending)]
    return name
