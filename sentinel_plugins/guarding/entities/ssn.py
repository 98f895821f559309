"""Social security numbers of the United States."""

from __future__ import annotations

from sentinel_plugins.guarding.entities.checksums import digits_of
from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity

_LEFT = 32
_LABEL = Label(
    r"social|soc\.? ?sec|itin|tin", left=_LEFT, names="S(?:sn|SN)|Social[ _-]?Security|Tax(?:[Pp]ayer)?[ _-]?I[Dd]"
)


def us_ssn() -> PatternEntity:
    """Nine digits as 3-2-4 with one kind of sign between them, or undivided after words that say what they are. Area,
    group and serial that are never issued are left alone: 000, 666 and 9xx; 00; 0000."""
    return PatternEntity(
        "US_SSN",
        "pii",
        rf"[0-9]{FREE}(?<![0-9]-.)[0-9]{{2}}(?:([-./ ])[0-9]{{2}}\1|[0-9]{{2}})[0-9]{{4}}(?![A-Za-z0-9])",
        trigger=r"[0-9]{3}[-./ ]?[0-9]{2}[-./ ]?[0-9]{4}",
        live=r"[0-9]{1,3}(?:[-./ ]?(?:[0-9]{1,2}(?:[-./ ]?[0-9]{0,4})?)?)?",
        max_length=11,
        left=_LEFT,
        check=_issued,
    )


def _issued(text: str, start: int, end: int) -> bool:
    digits = digits_of(text[start:end])
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
        return False
    return end - start == 11 or _LABEL.before(text, start)
