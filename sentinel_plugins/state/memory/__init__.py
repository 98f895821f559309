"""State in this process's memory: the default, exact for one worker, gone with the process."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.state import StateStore
from sentinel_plugins.state.memory.config import MemoryStateConfig
from sentinel_plugins.state.memory.store import MemoryState

__all__ = ["MemoryState", "MemoryStateConfig", "sentinel_stores"]


@hookimpl
def sentinel_stores() -> Iterable[type[StateStore]]:
    """The store of `[state] kind = "memory"`."""
    return (MemoryState,)
