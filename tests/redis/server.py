"""One server of Redis's protocol in a process of its own: on loopback, keeping nothing."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.pace import PATIENCE_S
from tests.ports import HOST, free_port

POLL_S = 0.005


class RedisServer:
    """A server that a test may kill, freeze and start again: the port stays, the data does not."""

    def __init__(self, binary: str, folder: Path, *options: str) -> None:
        self.port = free_port()
        self._command = [
            *(binary, "--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no"),
            *("--dir", str(folder), "--logfile", f"server-{self.port}.log", "--daemonize", "no", *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id, while it runs."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Start an empty server and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, f"the server ended: {self._command}"
            assert time.monotonic() < deadline, f"the server does not answer: {self._command}"
            time.sleep(POLL_S)  # another process can only be asked

    def kill(self) -> None:
        """End it as a crash would (kill -9)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It stays connected and answers nobody."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def ask(self, *command: str | bytes | float) -> Any:  # Any: every command's answer
        """What it answers to a command, over a connection of its own."""
        with redis.Redis(host=HOST, port=self.port, protocol=2, retry=Retry(NoBackoff(), 0)) as client:
            return client.execute_command(*command)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            return False

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server is not running"
        self._process.send_signal(number)


@contextmanager
def running_server(binary: str, folder: Path, *options: str) -> Iterator[RedisServer]:
    """A server that answers; it is gone afterwards, whatever a test did to it."""
    server = RedisServer(binary, folder, *options)
    try:
        server.start()
        yield server
    finally:
        server.kill()
