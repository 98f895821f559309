"""State in Redis or Valkey, which all workers and replicas share; a Cluster as well."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from sentinel_core.extras import how_to_install
from sentinel_core.hookspecs import hookimpl
from sentinel_core.state import StateStore

if find_spec("redis") is None or find_spec("hiredis") is None:
    raise ImportError(f"[state] kind = 'redis' needs the packages redis and hiredis; {how_to_install('redis')}")

from sentinel_plugins.state.redis.config import RedisStateConfig
from sentinel_plugins.state.redis.store import RedisState

__all__ = ["RedisState", "RedisStateConfig", "sentinel_stores"]


@hookimpl
def sentinel_stores() -> Iterable[type[StateStore]]:
    """The store of `[state] kind = "redis"`."""
    return (RedisState,)
