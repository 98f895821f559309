"""The steps of this store, in Lua."""

from __future__ import annotations

from sentinel_plugins.redis import scripts
from sentinel_plugins.redis.topology import Topology

SERVER_TIME = "server_time"
CLAIMS = ("common", "exact", "gcra", "sliding_window", "holds", "lease", "budget")


def source(*names: str) -> str:
    """The named parts, one after the other."""
    return scripts.source(__package__, *names)


class Scripts(scripts.Scripts):
    """What is run for each operation. `clock` is Lua that defines `server_time()`."""

    def __init__(self, topology: Topology, clock: str) -> None:
        super().__init__(topology)
        self.admit = scripts.Script("admit", "\n".join((clock, source(*CLAIMS, "admit"))))
        self.settle = scripts.Script("settle", "\n".join((clock, source(*CLAIMS, "settle"))))
        self.get = scripts.Script("get", source("get"))
        self.increment = scripts.Script("increment", source("increment"))
