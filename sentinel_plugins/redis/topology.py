"""One server, or the nodes of a Cluster: who is asked for a key."""

from __future__ import annotations

import asyncio
import logging
import time

from redis.exceptions import AskError, MovedError, ResponseError

from sentinel_core.counts import Outages
from sentinel_core.errors import Refusal
from sentinel_plugins.redis.address import Address, Door
from sentinel_plugins.redis.command import packed
from sentinel_plugins.redis.config import RedisConfig
from sentinel_plugins.redis.faults import unavailable
from sentinel_plugins.redis.node import Node
from sentinel_plugins.redis.slots import Slots
from sentinel_plugins.redis.survey import Survey
from sentinel_plugins.redis.tasks import Tasks
from sentinel_plugins.redis.wire import Reply

log = logging.getLogger("sentinel.redis")

REDIRECTIONS = 3
_ASKING = packed("ASKING")
_SLOTS = packed("CLUSTER", "SLOTS")
_PING = packed("PING")


class Topology:
    """Sends commands to where their keys are. A Cluster is learnt at the start, and anew whenever it changed.

    `outages` hears when a node is lost, and when all of them answer again.
    """

    def __init__(self, config: RedisConfig, tasks: Tasks, outages: Outages) -> None:
        self.door = Door(config)
        self._config = config
        self._tasks = tasks
        self._outages = outages
        self._slots = Slots()
        self._nodes: dict[Address, Node] = {}
        self._seed = self._node(self.door.seed)
        self._learning: asyncio.Task[None] | None = None
        self._told = False

    @property
    def clustered(self) -> bool:
        """Whether keys lie on several nodes."""
        return self._slots.known

    @property
    def available(self) -> bool:
        """Whether every node that has keys is asked."""
        return all(node.available for node in self._masters())

    async def open(self) -> None:
        """Look at the server, as long as a command may take. One that does not answer is looked at when it does."""
        await self._survey()

    def close(self) -> None:
        """End every connection."""
        for node in self._nodes.values():
            node.close()

    async def call(self, key: bytes, command: bytes, *, grows: bool = True) -> Reply:
        """The reply of the node that has `key`; `grows` as in `Node.call`."""
        reply = await self._owner(key).call(command, grows=grows)
        return await self._followed(reply, command, grows) if isinstance(reply, AskError) else reply

    async def _followed(self, reply: Reply, command: bytes, grows: bool) -> Reply:
        """The reply of the node that another one names."""
        for _ in range(REDIRECTIONS):
            if not isinstance(reply, AskError):  # MovedError is one as well
                return reply
            reply = await self._redirected(reply, command, grows)
        raise unavailable()

    async def anywhere(self, command: bytes) -> Reply:
        """The reply of any node."""
        masters = self._masters()
        return await next((node for node in masters if node.available), masters[0]).call(command)

    async def ping(self) -> float:
        """The longest round trip to a node, in seconds."""
        began = time.perf_counter()  # loops count in milliseconds, some of them
        await asyncio.gather(*(node.call(_PING) for node in self._masters()))
        return time.perf_counter() - began

    def reachable(self) -> Address:
        """A server that answers, if there is one: for connections of their own."""
        return next((place for place, node in self._nodes.items() if node.available), self.door.seed)

    def trouble(self) -> None:
        """A node does not answer: another one may have its keys by now."""
        self._outages.begin()
        if self.clustered:
            self._learn()

    def recovered(self) -> None:
        """A node answers again: it may be another server, and of another kind."""
        self._note_end()
        if self.clustered:
            self._learn()
        else:
            self._tasks.start(self._survey())

    def _note_end(self) -> None:
        if self.available:
            self._outages.end()

    def _owner(self, key: bytes) -> Node:
        if not self._slots.known:
            return self._seed
        owner = self._slots.owner(key)
        return self._seed if owner is None else self._node(owner)

    def _masters(self) -> list[Node]:
        return [self._node(address) for address in self._slots.owners()] if self._slots.known else [self._seed]

    def _node(self, address: Address) -> Node:
        node = self._nodes.get(address)
        if node is None:
            name = f"Redis at {address}"
            node = Node(name, lambda: self.door.connection(address), self._config, self._tasks, self)
            self._nodes[address] = node
        return node

    async def _redirected(self, reply: AskError, command: bytes, grows: bool) -> Reply:
        host, port = reply.node_addr
        target = Address(host or self.door.seed.host, port)
        if not isinstance(reply, MovedError):
            return await self._node(target).call(command, asking=_ASKING, grows=grows)
        self._slots.move(reply.slot_id, target)
        self._learn()
        return await self._node(target).call(command, grows=grows)

    def _learn(self) -> None:
        """Ask for the slots in the background, unless somebody does."""
        if self._learning is None or self._learning.done():
            self._learning = self._tasks.start(self._learn_slots())

    async def _learn_slots(self) -> None:
        for address, node in [*self._nodes.items()]:
            if not node.available:
                continue
            try:
                reply = await node.call(_SLOTS)
            except Refusal:
                continue
            if not isinstance(reply, ResponseError):
                self._slots = Slots.of(reply, address)
                self._forget_strangers()
                self._note_end()
                return
            if not self._told:
                log.warning("%s does not say which node has which keys: %s", node.name, reply)
                self._told = True

    def _forget_strangers(self) -> None:
        """Close the nodes that have no keys any more."""
        kept = self._slots.owners() | {self.door.seed}
        for address in [address for address in self._nodes if address not in kept]:
            self._nodes.pop(address).close()

    async def _survey(self) -> None:
        try:
            survey = await Survey.of(self._seed)
        except Refusal:
            return
        survey.warn(self._seed.name)
        if survey.clustered:
            await self._learn_slots()
