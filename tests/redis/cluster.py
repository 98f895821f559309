"""Three servers that are a Cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis.crc import key_slot

from tests.redis.server import DEADLINE_S, HOST, POLL_S, RedisServer, free_port, running_server

OPTIONS = (
    *("--cluster-enabled", "yes", "--cluster-node-timeout", "1500"),
    *("--cluster-require-full-coverage", "no"),  # what a node does not have is no reason to refuse what it has
)
RANGES = ((0, 5460), (5461, 10922), (10923, 16383))


class Cluster:
    """Its nodes, each with a third of the slots at first."""

    def __init__(self, nodes: Sequence[RedisServer]) -> None:
        self.nodes = nodes
        self._ids = [node.ask("CLUSTER", "MYID") for node in nodes]

    @property
    def url(self) -> str:
        """Where one of its nodes is."""
        return self.nodes[0].url

    def flush(self) -> None:
        """Empty all of it."""
        for node in self.nodes:
            node.ask("FLUSHALL")

    def owner(self, key: str) -> int:
        """The number of the node that has a key at first."""
        slot = key_slot(key.encode())
        return next(number for number, (first, last) in enumerate(RANGES) if first <= slot <= last)

    def begin_move(self, key: str, to: int) -> None:
        """The slot of a key is on its way to another node: keys that are not there yet are asked for at the other."""
        slot, owner = str(key_slot(key.encode())), self.owner(key)
        self.nodes[to].ask("CLUSTER", "SETSLOT", slot, "IMPORTING", self._ids[owner])
        self.nodes[owner].ask("CLUSTER", "SETSLOT", slot, "MIGRATING", self._ids[to])

    def move(self, key: str, to: int) -> None:
        """Another node has the slot of a key from now on. What is in it is lost."""
        for node in self.nodes:
            node.ask("CLUSTER", "SETSLOT", str(key_slot(key.encode())), "NODE", self._ids[to])


@contextmanager
def running_cluster(binary: str, folder: Path) -> Iterator[Cluster]:
    """Three nodes that serve all slots."""
    with ExitStack() as stack:
        nodes: list[RedisServer] = []
        for number, (first, last) in enumerate(RANGES):
            (home := folder / str(number)).mkdir()
            bus = str(free_port())  # by default 10,000 above the port, which may be no port at all
            node = stack.enter_context(running_server(binary, home, *OPTIONS, "--cluster-port", bus))
            node.ask("CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
            if nodes:
                nodes[0].ask("CLUSTER", "MEET", HOST, str(node.port), bus)
            nodes.append(node)
        deadline = time.monotonic() + DEADLINE_S
        while not all(_complete(node) for node in nodes):
            assert time.monotonic() < deadline, "the nodes never became a Cluster"
            time.sleep(POLL_S)  # other processes can only be asked
        yield Cluster(nodes)


def _complete(node: RedisServer) -> bool:
    return b"cluster_state:ok" in node.ask("CLUSTER", "INFO") and len(node.ask("CLUSTER", "SLOTS")) == len(RANGES)
