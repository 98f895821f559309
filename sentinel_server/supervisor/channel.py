"""What the supervisor and its workers say to each other: JSON over a socket pair, each message after its length."""

from __future__ import annotations

import asyncio
import socket
from struct import Struct
from typing import Literal, TypeAlias

import msgspec

from sentinel_core.config import ServerSettings
from sentinel_server.supervisor.launch import Launch

Step: TypeAlias = Literal["prepare", "commit", "rollback"]
Order: TypeAlias = Literal["drain", "hurry", "give_up"] | Step
LENGTH = Struct("!I")


class Start(msgspec.Struct, frozen=True):
    """The first message to a worker: become a gateway on this port, with the `[server]` that all others have."""

    launch: Launch
    server: ServerSettings
    host: str
    port: int


class Command(msgspec.Struct, frozen=True):
    """A later one to a worker. What it is to prepare is in `launch`, or else it reads the sources."""

    order: Order
    launch: Launch | None = None


class Report(msgspec.Struct, frozen=True):
    """What a worker says: it serves, it could not start, or it has done a step of a reload.

    `problems` is empty, or says what went wrong. `launch` is what it has prepared.
    """

    about: Literal["ready", "failed"] | Step
    problems: str = ""
    launch: Launch | None = None


class Channel:
    """One end. Messages are read by one task at a time; an empty one means that the other end is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Channel:
        """A channel over one end of a socket pair."""
        return cls(*await asyncio.open_connection(sock=sock))

    def send(self, message: Start | Command | Report) -> None:
        """Say something. Nothing happens if the other end is gone: its reader's end tells."""
        if not self._writer.is_closing():
            text = msgspec.json.encode(message)
            self._writer.write(LENGTH.pack(len(text)) + text)

    async def message(self) -> bytes:
        """The next message, b"" at the end."""
        try:
            (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
