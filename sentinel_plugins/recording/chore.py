"""What is done again and again behind requests."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from sentinel_core.errors import Refusal
from sentinel_core.services import Clock

TIMES = 24
"""How often within the time that rows are kept somebody looks for those that are too old."""
AT_LEAST_S = 60.0


def between_looks_s(kept_s: float) -> float:
    """How long it is from one look for rows that are too old to the next."""
    return max(AT_LEAST_S, kept_s / TIMES)


async def repeated(
    work: Callable[[], Awaitable[object]], every_s: float, clock: Clock, log: logging.Logger, later: str
) -> NoReturn:
    """Do it now, and again as long after it was done, until cancelled. What fails is logged as `later` with its reason,
    and tried again in its turn: a row that nobody expected must not end what is done about all others."""
    while True:
        try:
            await work()
        except Refusal as error:
            log.warning("%s: %s", later, error.message)
        except Exception:  # whatever a row that nobody expected made of it
            log.exception("%s", later)
        await clock.sleep(every_s)
