"""`sentinel serve` in a process of its own, and raw clients of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.pace import PATIENCE_S
from tests.ports import free_port
from tests.server.serving import RUNNERS

__all__ = ["RUNNERS", "Client", "Process", "config", "running"]

POLL_S = 0.02
PRIVATE = re.compile(r"SENTINEL_|OPENAI_|^(HOST|PORT|LOG_LEVEL|APP_ENV|CORS_ORIGINS)$")


def config(base_url: str = "", **server: object) -> str:
    """A configuration file: `[server]` as given, and one provider, echo or an OpenAI-compatible one at `base_url`."""
    lines = ["[server]", *(f"{key} = {json.dumps(value)}" for key, value in server.items())]
    if server.get("workers", 1) != 1:
        lines += ["[state]", "approximate = true", "[records]", "approximate = true"]
    if base_url:
        lines += ["[providers.up]", 'kind = "openai"', f'base_url = "{base_url}"', 'models = ["m"]']
    return "\n".join(lines)


class Process:
    """A started gateway. `output` is everything it wrote so far."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self._process = process
        self.port = port
        self._log = log
        self.clients: list[Client] = []

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Both of its output streams."""
        return self._log.read_text("utf-8")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process that was started, and to no worker of it."""
        self._process.send_signal(number)

    async def exited(self, timeout_s: float = PATIENCE_S) -> int:
        """Its exit code."""
        return await asyncio.wait_for(self._process.wait(), timeout_s)

    async def until(self, reached: Callable[[], bool], what: str) -> None:
        """Poll: another process can only be asked."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not reached():
            assert asyncio.get_running_loop().time() < deadline, f"never {what}:\n{self.output}"
            await asyncio.sleep(POLL_S)

    async def wrote(self, text: str) -> None:
        """Wait until it has written this."""
        await self.until(lambda: text in self.output, f"wrote {text!r}")

    def workers(self) -> list[int]:
        """The process ids of its children."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    async def refuses(self) -> None:
        """Wait until nobody listens any more."""
        while True:
            try:
                (await Client.to(self)).close()
            except ConnectionRefusedError:
                return
            await asyncio.sleep(POLL_S)

    def kill(self) -> None:
        """End it and its workers, whatever they do."""
        if self._process.returncode is None:
            for pid in (*self.workers(), self.pid):
                os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def running(
    folder: Path,
    text: str,
    *options: str,
    python: Sequence[str] = (sys.executable,),
    named: bool = True,
    ready: bool = True,
    files: int | None = None,
) -> AsyncIterator[Process]:
    """`sentinel serve` with this configuration, `named` or found in its folder, by this `python`. Waits until it
    serves, unless it is not expected to."""
    file, log, port = folder / "sentinel.toml", folder / "output.log", free_port()
    file.write_text(text, "utf-8")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(*python, "-m", "sentinel_server", "serve", "--port", str(port)),
            *(("--config", str(file)) if named else ()),
            *options,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not PRIVATE.search(name)},
            stdout=output,
            stderr=output,
            preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None,
        )
    started = Process(process, port, log)
    try:
        if ready:
            await started.wrote("Sentinel serves on")
        yield started
    finally:
        for client in started.clients:
            client.close()
        started.kill()
        await process.wait()


class Client:
    """One connection, raw."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, process: Process) -> Client:
        """A connection of its own, closed with the process at the latest."""
        client = cls(*await asyncio.open_connection("127.0.0.1", process.port))
        process.clients.append(client)
        return client

    @classmethod
    async def ask(cls, process: Process, *, stream: bool = False, model: str = "m") -> Client:
        """A connection with a chat request on it."""
        client = await cls.to(process)
        client.chat(stream=stream, model=model)
        return client

    def chat(self, *, stream: bool = False, model: str = "m") -> None:
        """Send a chat request."""
        body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]})
        head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    def get(self, path: str) -> None:
        """Send a GET that closes the connection."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())

    async def until(self, text: bytes) -> bytes:
        """What comes up to and with this."""
        return await asyncio.wait_for(self.reader.readuntil(text), PATIENCE_S)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE_S)

    def close(self) -> None:
        """Leave."""
        self._writer.transport.abort()
