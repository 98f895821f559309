"""Records in Redis or Valkey, for a fleet; what cannot be written there waits in a local spool."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from sentinel_core.extras import how_to_install
from sentinel_core.hookspecs import hookimpl
from sentinel_core.records import RecordStore

if missing := [name for name in ("redis", "hiredis") if find_spec(name) is None]:
    raise ImportError(f"[records] kind = 'redis' needs the package {' and '.join(missing)}; {how_to_install('redis')}")

from sentinel_plugins.records.redis.config import RedisRecordsConfig
from sentinel_plugins.records.redis.store import RedisRecords

__all__ = ["RedisRecords", "RedisRecordsConfig", "sentinel_stores"]


@hookimpl
def sentinel_stores() -> Iterable[type[RecordStore]]:
    """The store of `[records] kind = "redis"`."""
    return (RedisRecords,)
