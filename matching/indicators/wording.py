"""A figure in few words, for a reader of any language: signs and numbers, the unit as it is written in the trade."""

from matching.indicators.types import Indicator

_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "eq": "", "about": "≈"}
# Where the trade writes a unit otherwise than pint.
_UNITS = {
    "percent": "%", "permille": "‰", "degC": "°C", "degree": "°", "kelvin": "K", "count": "", "um": "μm", "us": "μs", "ug": "μg",
    "ohm": "Ω", "hour": "h", "minute": "min", "second": "s", "day": "d", "m^2": "m²", "m^3": "m³", "cm^2": "cm²", "cm^3": "cm³",
    "mm^2": "mm²",
}  # fmt: skip


def figure(indicator: Indicator) -> str:
    """The figure without its quantity; a fall or a rise has an arrow.

    >>> from matching.indicators.parse import parse
    >>> [figure(each) for each in parse("转化率≥95%，厚度0.2~0.5mm，成本降低30%以上")]
    ['≥95 %', '0.2–0.5 mm', '↓ ≥30 %']
    """
    arrow = {"level": "", "rise": "↑ ", "fall": "↓ "}[indicator.change]
    unit = "/".join(_UNITS.get(part, part) for part in indicator.unit.split("/"))
    if indicator.comparator == "between":
        value = f"{_plain(indicator.low)}–{_plain(indicator.high)}"
    else:
        bound = indicator.low if indicator.low is not None else indicator.high
        value = f"{_SIGNS[indicator.comparator]}{_plain(bound)}"
    return f"{arrow}{value}{' ' if unit else ''}{unit}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"
