"""Three servers that are a Cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis.crc import key_slot

from tests.pace import PATIENCE_S
from tests.ports import HOST, free_port
from tests.redis.server import POLL_S, RedisServer, running_server

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
        """The number of the node that has a key, as the nodes say."""
        slot = key_slot(key.encode())
        ports = [node.port for node in self.nodes]
        return next(
            ports.index(master[1])
            for first, last, master, *_ in self.nodes[0].ask("CLUSTER", "SLOTS")
            if first <= slot <= last
        )

    def begin_move(self, key: str, to: int) -> None:
        """The slot of a key is on its way to another node: keys that are not there yet are asked for at the other."""
        owner = self.owner(key)
        self._set_slot(to, key, "IMPORTING", owner)
        self._set_slot(owner, key, "MIGRATING", to)

    def end_move(self, key: str, to: int) -> None:
        """The other node has it from now on. Whoever gets it is told first, so that its claim is the newest."""
        for node in (to, *({0, 1, 2} - {to})):
            self._set_slot(node, key, "NODE", to)

    def _set_slot(self, node: int, key: str, state: str, other: int) -> None:
        self.nodes[node].ask("CLUSTER", "SETSLOT", str(key_slot(key.encode())), state, self._ids[other])


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
        deadline = time.monotonic() + PATIENCE_S
        while not all(_complete(node) for node in nodes):
            assert time.monotonic() < deadline, "the nodes never became a Cluster"
            time.sleep(POLL_S)  # other processes can only be asked
        yield Cluster(nodes)


def _complete(node: RedisServer) -> bool:
    return b"cluster_state:ok" in node.ask("CLUSTER", "INFO") and len(node.ask("CLUSTER", "SLOTS")) == len(RANGES)
