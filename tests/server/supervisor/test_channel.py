"""What the supervisor and a worker say to each other arrives whole."""

from __future__ import annotations

import asyncio
import socket

import msgspec

from sentinel_server.supervisor.channel import Channel, Command
from sentinel_server.supervisor.launch import Launch
from tests.pace import AT_ONCE_S

LARGE = b"\n" * (2 << 20)
"""More than a stream's reader takes for one line."""


async def pair() -> tuple[Channel, Channel]:
    here, there = socket.socketpair()
    return await Channel.over(here), await Channel.over(there)


async def test_a_configuration_of_any_size_arrives() -> None:
    near, far = await pair()
    said = Command("prepare", Launch("sentinel.toml", contents={"sentinel.toml": LARGE}))
    near.send(said)
    near.send(Command("commit"))
    heard = [await asyncio.wait_for(far.message(), AT_ONCE_S) for _ in range(2)]
    assert [msgspec.json.decode(message, type=Command) for message in heard] == [said, Command("commit")]
    near.close()
    far.close()


async def test_an_end_that_is_gone_is_an_empty_message() -> None:
    near, far = await pair()
    near.close()
    assert await asyncio.wait_for(far.message(), AT_ONCE_S) == b""
    far.send(Command("drain"))
    far.close()
