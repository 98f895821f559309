"""Moments as people write them, and as rows have them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sentinel_core.errors import Refusal

_DATE_CHARS = len("20261130")
_SECONDS = range(10**8, 10**11)
"""What a number of seconds since the epoch may be, besides 0: smaller ones are years or months that somebody meant,
larger ones milliseconds."""


def moment(query: Mapping[str, str], name: str) -> float | None:
    """Seconds since the epoch of a parameter that is a number of them or ISO 8601; without a zone it is UTC, and
    `20261130` is a date.

    None if it is not there. Raises `Refusal` (invalid_parameter).
    """
    text = query.get(name)
    if text is None:
        return None
    try:
        return _seconds(text) if text.replace(".", "", 1).isdecimal() and len(text) != _DATE_CHARS else _iso(text)
    except (ValueError, OverflowError):
        message = (
            f"The parameter {name!r} must be a time such as 2026-11-30 or 2026-11-30T12:00:00Z, "
            "or seconds since the epoch such as 1795996800."
        )
        raise Refusal("invalid_parameter", message, param=name) from None


def iso(at: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(text: str) -> float:
    found = float(text)
    if found != 0 and int(found) not in _SECONDS:
        raise ValueError(text)
    return found


def _iso(text: str) -> float:
    found = datetime.fromisoformat(text.replace(" ", "+"))  # a `+` that nobody escaped
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
