"""The units that texts of three scripts are counted and compared in: Han characters one by one, other words whole."""

import re

from matching.profiling import fold

_UNIT = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|\d+(?:[.,]\d+)*|[^\W\d_\u3400-\u9fff\uf900-\ufaff]+")


def units(text: str) -> list[str]:
    """Han characters, words of other scripts and figures, in order and folded; signs are left out.

    >>> units("耐温≥300℃ PEM stack")
    ['耐', '温', '300', 'c', 'pem', 'stack']
    """
    return _UNIT.findall(fold(text))
