"""Gateways in processes of their own, each with the whole stage in its chain, which ask at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

from sentinel_core.limits import Limits
from sentinel_core.model_facts import ModelFacts
from sentinel_core.testing import completion
from tests.plugins.rate_limit.scene import Scene, caller, code, scene
from tests.plugins.state.redis_stores import redis_state
from tests.spawned import spawned

ANSWERED = 900
ANSWER = completion("ok", usage={"prompt_tokens": 0, "completion_tokens": ANSWERED, "total_tokens": ANSWERED})
COST_USD = 0.009
"""What that answer costs, and what is reserved for it: prompts are free."""
FACTS = ModelFacts(id="fake", provider="fake", input_usd=0.0, output_usd=10.0, max_output_tokens=ANSWERED)


class Order(NamedTuple):
    """Where the state is, whose requests, what binds them, and how many at one time."""

    url: str
    tenant: str
    limits: Limits
    each: int


class Told(NamedTuple):
    """How often each answer was given, and how many calls reached the provider."""

    codes: Counter[str | None]
    calls: int


@contextmanager
def gateways(count: int) -> Iterator[list[Connection]]:
    """That many processes."""
    with spawned(count, _serve) as processes:
        yield [process.pipe for process in processes]


def together(fleet: Sequence[Connection], order: Order) -> Told:
    """What all processes were told, who begin at the same time."""
    for pipe in fleet:
        pipe.send(order)
    told: list[Told] = [pipe.recv() for pipe in fleet]
    return Told(sum((one.codes for one in told), Counter()), sum(one.calls for one in told))


async def _serve(pipe: Connection) -> None:
    scenes: dict[str, Scene] = {}
    pipe.send("ready")
    async with AsyncExitStack() as stack:
        while True:
            order: Order = await asyncio.to_thread(pipe.recv)
            if order.url not in scenes:
                store = await stack.enter_async_context(redis_state(order.url))
                table = {"max_requests": "unlimited"}
                scenes[order.url] = await stack.enter_async_context(scene(table, ANSWER, facts=FACTS, state=store))
            pipe.send(await _asked(scenes[order.url], order))


async def _asked(s: Scene, order: Order) -> Told:
    who, before = caller(order.tenant, of_tenant=order.limits), len(s.provider.calls)
    driven = await asyncio.gather(*(s.ask(who, max_tokens=ANSWERED) for _ in range(order.each)))
    return Told(Counter(code(one) for one in driven), len(s.provider.calls) - before)
