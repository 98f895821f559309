"""The ASGI servers that can carry the application, one module each, behind one contract (`base.Serve`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Literal, get_args

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_server.runners.base import Serve

RunnerName = Literal["hypercorn", "uvicorn"]
NAMES: tuple[str, ...] = get_args(RunnerName)


def load(name: str) -> Serve:
    """The runner of that name, imported. `ConfigError` names the extra that is missing."""
    if name not in NAMES:
        raise ConfigError(
            [
                ConfigProblem(
                    "no such runner",
                    table="server",
                    key="runner",
                    found=repr(name),
                    expected=" or ".join(map(repr, NAMES)),
                )
            ]
        )
    try:
        module = import_module(f"sentinel_server.runners.{name}")
    except ModuleNotFoundError as error:
        raise ConfigError([_missing(name, error)]) from error
    serve: Serve = module.serve
    return serve


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop that suits a runner: uvloop gains uvicorn a tenth, and Hypercorn nothing."""
    if name != "uvicorn":
        return None
    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    except ModuleNotFoundError:  # not made for this platform
        return None
    return factory


def _missing(name: str, error: ModuleNotFoundError) -> ConfigProblem:
    return ConfigProblem(
        f"the runner needs the package {error.name!r}, which is not installed",
        table="server",
        key="runner",
        found=repr(name),
        suggestion="install it with: pip install 'sentinel-gateway[fast]'",
    )
