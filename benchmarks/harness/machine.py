"""Which machine, which commit, which versions: what a number means nothing without."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("starlette", "hypercorn", "uvicorn", "httptools", "uvloop", "aiohttp", "msgspec", "pluggy")


@dataclass(frozen=True, slots=True)
class Cores:
    """The gateway has one core for itself; load and mock share the other. Equal on a machine with one core."""

    gateway: int
    load: int


@cache
def cores() -> Cores:
    """The first and the last core that this process might use when it was first asked: later it may be pinned."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[-1])


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run on one core for a while; processes started meanwhile inherit it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a run took place. `load_average` is of the minute before it: a busy machine explains slow absolutes."""

    cpu: str
    cores: int
    kernel: str
    python: str
    load_average: float


def machine() -> Machine:
    """This machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    count = os.cpu_count() or 1
    return Machine(cpu, count, platform.release(), platform.python_version(), os.getloadavg()[0])


def commit() -> str:
    """The commit that runs, with `-dirty` where the tree differs from it; `unknown` outside a repository."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def versions() -> dict[str, str]:
    """The installed versions of what takes part."""
    found = {name: metadata.version(name) for name in PACKAGES if _installed(name)}
    if shutil.which("nginx"):
        done = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False)
        found["nginx"] = done.stderr.strip().rpartition("/")[2]
    return found


def _installed(name: str) -> bool:
    return bool(list(metadata.distributions(name=name)))
