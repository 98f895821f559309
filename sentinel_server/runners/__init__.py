"""The ASGI servers that can carry the application, one module each, behind one contract (`base.Serve`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.extras import how_to_install
from sentinel_server.runners.base import Serve

_PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {"uvicorn": ("uvicorn", "httptools")}
"""What a runner needs beyond what every installation has: the extra `fast` brings it."""


def load(name: str) -> Serve:
    """The runner that `[server]` names, imported. `ConfigError` names the extra that is missing."""
    lacking = missing(name)
    if lacking is not None:
        raise ConfigError([lacking])
    serve: Serve = import_module(f"sentinel_server.runners.{name}").serve
    return serve


def missing(name: str) -> ConfigProblem | None:
    """What the runner of that name needs and the machine lacks, without importing it."""
    packages = [package for package in _PACKAGES.get(name, ()) if find_spec(package) is None]
    if not packages:
        return None
    return ConfigProblem(
        f"the runner needs {' and '.join(packages)}",
        table="server",
        key="runner",
        found=repr(name),
        suggestion=how_to_install("fast"),
    )


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop that suits a runner: uvloop gains uvicorn a tenth, and Hypercorn nothing."""
    if name != "uvicorn":
        return None
    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    except ModuleNotFoundError:  # not made for this platform
        return None
    return factory
