"""The table `[records]` with `kind = "sqlite"`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from sentinel_core.config import Seconds
from sentinel_core.state import StoreConfig


class SqliteRecordsConfig(StoreConfig, frozen=True, kw_only=True):
    """Rows in one file that every worker of this machine shares. Use it wherever one machine serves."""

    kind: str = "sqlite"
    """`sqlite`."""
    path: Annotated[str, Meta(min_length=1)] = "sentinel.db"
    """The file; a relative path starts at the working directory. Its folder must exist, on a local disk: a volume that
    is not mounted is an error and not an empty ledger. Two files, `-wal` and `-shm`, stand beside it."""
    synchronous: Literal["full", "normal"] = "full"
    """What a write waits for: `full`, until the disk has it; `normal`, until the operating system has it, which a crash
    of the gateway survives and a power failure may not. `normal` spares a slow disk."""
    timeout_s: Seconds = 0.25
    """How long a write, or a look at one row, may wait for the disk; then it is refused with `ledger_unavailable`."""
    query_timeout_s: Seconds = 5.0
    """How long a query or a sum may take. Raise it for reports over many rows."""
    readers: Annotated[int, Meta(ge=1)] = 4
    """Queries and sums at one time, for one tenant half of them; more wait. Looks at one row never wait for these."""
