"""The `date` that every response of a server with a clock carries (RFC 9110, section 6.6.1)."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache


def http_date() -> bytes:
    """Now, to the second. Formatted once a second: a response has no time to spare for it."""
    return _formatted(int(time.time()))


@lru_cache(maxsize=1)
def _formatted(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode("ascii")
