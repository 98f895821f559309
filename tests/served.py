"""A gateway in its own process, started as a new user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.pace import PATIENCE_S
from tests.ports import free_port

PRIVATE = re.compile(r"SENTINEL__|SENTINEL_(?!TEST)|OPENAI_|^(HOST|PORT|LOG_LEVEL|APP_ENV|CORS_ORIGINS)$")


class Served(NamedTuple):
    """A running gateway."""

    address: str
    pid: int


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    """`sentinel serve`, run in an empty folder with no setting in its environment.

    Afterwards it is interrupted as by Ctrl-C, and has to drain and exit with 0.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sentinel_server", "serve", "--port", str(port), *options],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not PRIVATE.search(name)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(process, address, log)
        yield Served(address, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == 0, log.read_text("utf-8")


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/health/ready", timeout=5).close()
        except OSError:
            time.sleep(0.05)  # another process's start can only be polled
        else:
            return
    raise AssertionError(f"`sentinel serve` does not serve:\n{log.read_text('utf-8')}")
