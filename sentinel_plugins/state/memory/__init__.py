"""State in this process's memory: the default, exact for one worker, gone with the process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import LOCAL_STATE, ServiceFactory
from sentinel_core.state import StateStore
from sentinel_plugins.state.memory.config import MemoryStateConfig
from sentinel_plugins.state.memory.store import MemoryState

__all__ = ["MemoryState", "MemoryStateConfig", "sentinel_services", "sentinel_stores"]


@hookimpl
def sentinel_stores() -> Iterable[type[StateStore]]:
    """The store of `[state] kind = "memory"`."""
    return (MemoryState,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """A store of this process beside a shared one, for what must go on while that does not answer."""
    return {LOCAL_STATE: MemoryState}
