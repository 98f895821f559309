"""Start a server on a core, wait until it answers, stop it."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import accounting, machine, payloads
from benchmarks.harness.targets import Target

READY_S = 60.0
STOP_S = 10.0
POLL_S = 0.005


class NotReady(Exception):
    """A server did not answer a request with 200 in time."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `first_200_s` counts from its start to its first good answer."""

    name: str
    pid: int
    port: int
    first_200_s: float
    headers: Mapping[str, str]

    def cpu_s(self) -> float:
        return accounting.cpu_s(self.pid)

    def pss_bytes(self) -> int:
        return accounting.pss_bytes(self.pid)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(target: Target, folder: Path, core: int, upstream_port: int) -> Iterator[Server]:
    """Run a target pinned to `core` until the block ends. Raises `NotReady` with the end of its log."""
    port, log = free_port(), folder / "log"
    command, headers = target.command(port, upstream_port, folder), target.headers(upstream_port)
    with log.open("wb") as output, machine.pinned(core):
        started = time.monotonic()
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env={**os.environ, **target.env}
        )
    try:
        wait_for_200(process, Server(target.name, process.pid, port, 0.0, headers), log)
        yield Server(target.name, process.pid, port, time.monotonic() - started, headers)
    finally:
        stop(process)


def wait_for_200(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    """Ask for one unary completion until it succeeds."""
    deadline = time.monotonic() + READY_S
    seen = "nothing"
    while time.monotonic() < deadline and process.poll() is None:
        seen = ask(server)
        if seen == "200":
            return
        time.sleep(POLL_S)
    tail = log.read_text(errors="replace")[-2000:]
    raise NotReady(f"{server.name}: last answer {seen}, exit code {process.poll()}\n{tail}")


def ask(server: Server) -> str:
    """The status of one unary completion, with the body where it is not 200, or the error's name."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("POST", payloads.PATH, payloads.request_body(), {**payloads.HEADERS, **server.headers})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
    return "200" if response.status == 200 else f"{response.status} {body[:300]!r}"


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask to stop, then insist."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        for pid in reversed(accounting.tree(process.pid)):
            os.kill(pid, 9)
        process.wait()
