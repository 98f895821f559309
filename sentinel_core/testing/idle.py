"""What a stream gives before it falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sentinel_core.events import Event


async def events_or_idle(events: AsyncIterator[Event], seconds: float) -> tuple[list[Event], bool]:
    """Events until the stream ends or gives nothing for that many seconds; and whether it ended.

    A pending read is cancelled, so the stream cannot be read on afterwards.
    """
    got: list[Event] = []
    while True:
        try:
            async with asyncio.timeout(seconds):
                got.append(await anext(events))
        except StopAsyncIteration:
            return got, True
        except TimeoutError:
            return got, False
