"""The opening of the next generation, which a drain ends: nobody would use it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from sentinel_core.errors import Refusal
from sentinel_core.gateway.generation import Generation


class Opening:
    """Opens one generation at a time, until told to stop."""

    def __init__(self) -> None:
        self._limit: asyncio.Timeout | None = None

    async def run(self, opening: Awaitable[Generation]) -> Generation:
        """The generation once it is open. Raises `Refusal` (draining) if it was stopped before."""
        limit = self._limit = asyncio.timeout(None)
        try:
            async with limit:
                return await opening
        except TimeoutError:
            if limit.expired():
                raise Refusal("draining", retry_after_s=1) from None
            raise
        finally:
            self._limit = None

    def stop(self) -> None:
        """Cancel what is being opened; what is open of it is closed again."""
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())
