"""What kind of server it is, and what of its settings somebody should know."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sentinel_plugins.redis.command import packed
from sentinel_plugins.redis.node import Node

log = logging.getLogger("sentinel.redis")

_INFO = packed("INFO")


@dataclass(frozen=True, slots=True)
class Survey:
    """Read from INFO. A server that does not give it counts as a single one with an unknown policy."""

    clustered: bool
    eviction: str

    @classmethod
    async def of(cls, node: Node) -> Survey:
        """Ask one node. `Refusal` if it does not answer, and then its breaker is open."""
        reply = await node.call(_INFO, decisive=True)
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else ""
        facts = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return cls(facts.get("cluster_enabled") == "1", facts.get("maxmemory_policy", ""))

    def warn(self, name: str) -> None:
        """Say it where limits may be forgotten (R06)."""
        if self.eviction == "":
            log.warning("%s does not say its maxmemory-policy: it must be noeviction", name)
        elif self.eviction != "noeviction":
            log.warning(
                "%s may evict what it holds (maxmemory-policy %s): limits, budgets and rows would be gone; "
                "set maxmemory-policy noeviction",
                name,
                self.eviction,
            )
