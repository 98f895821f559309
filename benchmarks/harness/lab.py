"""A running set-up: the mock on one core, all targets on the other, each in its own process and folder."""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.harness.machine import cores, pinned
from benchmarks.harness.processes import Server, running
from benchmarks.harness.targets import Target, mock


@contextmanager
def lab(targets: Sequence[Target], upstream: Target | None = None) -> Iterator[Mapping[str, Server]]:
    """Start the mock and the targets, pin this process to the load core; the servers by name, the mock as `direct`."""
    with ExitStack() as stack:
        raise_file_limit()
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sentinel-bench-")))
        direct = start(stack, upstream or mock(), work, cores().load, 0)
        servers = {"direct": direct}
        for target in targets:
            servers[target.name] = start(stack, target, work, cores().gateway, direct.port)
        stack.enter_context(pinned(cores().load))
        yield servers


def start(stack: ExitStack, target: Target, work: Path, core: int, upstream_port: int) -> Server:
    """Start one target in a folder of its own; it stops with the stack."""
    print(f"starting {target.name}", file=sys.stderr, flush=True)
    folder = work / target.name.replace(" ", "-")
    folder.mkdir()
    return stack.enter_context(running(target, folder, core, upstream_port))


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: 1,000 streams hold 2,000 connections."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
