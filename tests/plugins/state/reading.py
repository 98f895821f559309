"""Reading what is published, within a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sentinel_core.state import Message
from tests.pace import AT_ONCE_S


async def read(messages: AsyncIterator[Message], count: int) -> list[bytes]:
    """The next messages' data."""
    async with asyncio.timeout(AT_ONCE_S):
        return [(await anext(messages)).data for _ in range(count)]


async def rest(messages: AsyncIterator[Message]) -> list[bytes]:
    """Everything until the end."""
    async with asyncio.timeout(AT_ONCE_S):
        return [message.data async for message in messages]
