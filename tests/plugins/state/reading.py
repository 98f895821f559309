"""Reading what is published, within a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sentinel_core.state import Message

DEADLINE_S = 5.0


async def read(messages: AsyncIterator[Message], count: int) -> list[bytes]:
    """The next messages' data."""
    async with asyncio.timeout(DEADLINE_S):
        return [(await anext(messages)).data for _ in range(count)]


async def rest(messages: AsyncIterator[Message]) -> list[bytes]:
    """Everything until the end."""
    async with asyncio.timeout(DEADLINE_S):
        return [message.data async for message in messages]
