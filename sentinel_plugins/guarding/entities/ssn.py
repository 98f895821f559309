"""Social security numbers of the United States."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.entities.checksums import digits_of
from sentinel_plugins.guarding.entities.figures import BESIDE, decimals, in_a_row, sizes, version
from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity

_LEFT = 32
_LABEL = Label(
    r"social|soc\.? ?sec|itin|tin", left=_LEFT, names="S(?:sn|SN)|Social[ _-]?Security|Tax(?:[Pp]ayer)?[ _-]?I[Dd]"
)
_MONTH = re.compile("[0-9]{3}/(?:0[1-9]|1[0-2])/(?:19|20)[0-9]{2}")


def us_ssn() -> PatternEntity:
    """Nine digits as 3-2-4 with one kind of sign between them, or undivided after words that say what they are. Area,
    group and serial that are never issued are left alone: 000, 666 and 9xx; 00; 0000. So are, with other signs than
    hyphens and without such words, rows of figures, sizes, months and versions."""
    return PatternEntity(
        "US_SSN",
        "pii",
        rf"[0-9]{FREE}(?<![0-9]-.)[0-9]{{2}}(?:([-./ ])[0-9]{{2}}\1|[0-9]{{2}})[0-9]{{4}}(?![A-Za-z0-9])",
        trigger=r"[0-9]{3}[-./ ]?[0-9]{2}[-./ ]?[0-9]{4}",
        live=rf"[0-9]{{1,3}}(?:[-./ ]?(?:[0-9]{{1,2}}(?:[-./ ]?(?:[0-9]{{1,4}}(?:[./ ]{BESIDE})?)?)?)?)?",
        max_length=18,
        left=_LEFT,
        check=_issued,
    )


def _issued(text: str, start: int, end: int) -> bool:
    digits = digits_of(text[start:end])
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
        return False
    if end - start == 11 and not _counted(text, start, end):
        return True
    return not decimals(text, start) and _LABEL.before(text, start)


def _counted(text: str, start: int, end: int) -> bool:
    """Whether figures have the form by chance."""
    sign = text[start + 3]
    if sign == "-":
        return False
    if in_a_row(text, start, end, sign) or sizes(text[start:end], 8, 10):
        return True
    return version(text, start) if sign == "." else _MONTH.fullmatch(text, start, end) is not None
