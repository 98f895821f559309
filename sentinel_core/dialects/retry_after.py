"""How long an upstream asks to wait: `retry-after-ms` and `Retry-After`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

MS = "retry-after-ms"
SECONDS = "Retry-After"


def retry_after_s(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """The wait in seconds, 0 or more; None where the upstream names none that makes sense.

    `retry-after-ms` (OpenAI's, more precise) goes before `Retry-After`, which is a number of seconds, here also a
    fraction, or an HTTP date (RFC 9110, section 10.2.3). `now` is in seconds since the epoch. `headers` find a name
    in any case. Nothing is invented: a wait that nobody asked for stops traffic that would have passed.
    """
    wait = _number(headers.get(MS))
    if wait is not None:
        return wait / 1000
    asked = headers.get(SECONDS)
    wait = _number(asked)
    if wait is not None or asked is None:
        return wait
    try:
        until = parsedate_to_datetime(asked).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, until - (time.time() if now is None else now))


def _number(text: str | None) -> float | None:
    """A plain decimal, which excludes nan, inf and exponents; negative ones make no sense."""
    digits = (text or "").strip()
    return float(digits) if digits.replace(".", "", 1).isdecimal() and digits.isascii() else None
