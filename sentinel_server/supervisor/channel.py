"""What the supervisor and its workers say to each other: one JSON line each over a socket pair."""

from __future__ import annotations

import asyncio
import socket
from typing import Literal, TypeAlias

import msgspec

from sentinel_core.config import ServerSettings
from sentinel_server.supervisor.launch import Launch

Step: TypeAlias = Literal["prepare", "commit", "rollback"]
Order: TypeAlias = Literal["drain", "hurry"] | Step
MAX_LINE_BYTES = 1 << 20


class Start(msgspec.Struct, frozen=True):
    """The first line to a worker: become a gateway on this port, with the `[server]` that all others have."""

    launch: Launch
    server: ServerSettings
    host: str
    port: int


class Command(msgspec.Struct, frozen=True):
    """A later line to a worker."""

    order: Order


class Report(msgspec.Struct, frozen=True):
    """A line from a worker: it serves, it could not start, or it has done a step of a reload.

    `problems` is empty, or says what went wrong.
    """

    about: Literal["ready", "failed"] | Step
    problems: str = ""


class Channel:
    """One end. Lines are read by one task at a time; an empty read means that the other end is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Channel:
        """A channel over one end of a socket pair."""
        return cls(*await asyncio.open_connection(sock=sock, limit=MAX_LINE_BYTES))

    def send(self, message: Start | Command | Report) -> None:
        """Say something. Nothing happens if the other end is gone: its reader's end tells."""
        if not self._writer.is_closing():
            self._writer.write(msgspec.json.encode(message) + b"\n")

    async def line(self) -> bytes:
        """The next line, b"" at the end."""
        try:
            return await self._reader.readline()
        except ConnectionError:
            return b""

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
