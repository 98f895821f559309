"""A chain with `rate_limit` in front of a scripted upstream, a store on a clock of the test's, and prices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date

from sentinel_core.chain import Chain, Exchange, Tracker
from sentinel_core.context import Client, Context
from sentinel_core.errors import Refusal
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonValue, TomlValue
from sentinel_core.keys import PRINCIPAL, Principal, Subject
from sentinel_core.limits import Limits
from sentinel_core.model_facts import ModelFacts
from sentinel_core.prices import Prices
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.state import StateStore
from sentinel_core.testing import Driven, FakeClock, FakeProvider, chain_of, context, fake_services, opened, run
from sentinel_core.testing.fake_provider import Script
from sentinel_plugins.catalogue.catalogue import FileCatalogue
from sentinel_plugins.rate_limit.stage import RateLimit
from sentinel_plugins.state.memory import MemoryState

DAY = date(2026, 11, 21)
NOON = 1_795_694_400.0  # 2026-11-26T12:00:00Z

FACTS = ModelFacts(id="fake", provider="fake", input_usd=1.0, output_usd=10.0, max_output_tokens=100)
"""A prompt token costs 1,000 nano-dollars, one of an answer 10,000."""


def prices(facts: ModelFacts = FACTS) -> Prices:
    return Prices(FileCatalogue(DAY, (facts,)), {"fake": FakeProvider})


def caller(
    tenant: str = "acme",
    key: str = "k1",
    user: str | None = None,
    *,
    of_tenant: Limits | None = None,
    of_key: Limits | None = None,
    of_user: Limits | None = None,
) -> Principal:
    """Somebody with a key, and what binds the tenant, the key and the user."""
    said: dict[Subject, Limits | None] = {"tenant": of_tenant, "key": of_key, "user": of_user}
    limits = {subject: bound for subject, bound in said.items() if bound is not None}
    return Principal(tenant, key, kind="key", user=user, limits=limits)


def asking(
    who: Principal | None = None, prompt: str = "Hello", *, client: str = "", stream: bool = False, **body: JsonValue
) -> Context:
    """A request of somebody."""
    ctx = context(prompt, stream=stream, client=Client(address=client), **body)
    if who is not None:
        ctx[PRINCIPAL] = who
    return ctx


class Refuses(Stage):
    """A guard behind `rate_limit` that refuses some words."""

    name = "refuses"

    def __init__(self) -> None:
        super().__init__(StageConfig())

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        if "forbidden" in ctx.request.body["messages"][0]["content"]:
            raise Refusal("content_policy_violation")


@dataclass
class Scene:
    """What the tests act on."""

    chain: Chain
    provider: FakeProvider
    state: StateStore
    clock: FakeClock
    tracker: Tracker
    stage: RateLimit

    def ctx(self, who: Principal | None = None, prompt: str = "Hello", **fields: JsonValue) -> Context:
        return asking(who, prompt, **fields)

    async def ask(self, who: Principal | None = None, prompt: str = "Hello", **fields: JsonValue) -> Driven:
        driven = await run(self.chain, self.ctx(who, prompt, **fields))
        await self.tracker.drained()
        return driven

    def exchange(self, ctx: Context) -> Exchange:
        return Exchange(self.chain, ctx)


@asynccontextmanager
async def scene(
    table: Mapping[str, TomlValue] | None = None,
    *scripts: Script,
    facts: ModelFacts = FACTS,
    state: StateStore | None = None,
    clock: FakeClock | None = None,
    **extra: object,
) -> AsyncIterator[Scene]:
    clock = clock or FakeClock(NOON)
    provider, tracker = FakeProvider(*scripts), Tracker()
    store = state or MemoryState(now=clock.monotonic)
    async with (
        fake_services(clock, prices=prices(facts), **extra) as made,
        opened(RateLimit, dict(table or {}), replace(made, state=store)) as live,
    ):
        stage = live[0]
        assert isinstance(stage, RateLimit)
        chain = chain_of([live, Refuses()], provider, tracker)
        yield Scene(chain, provider, store, clock, tracker, stage)
        await tracker.drained()


def code(driven: Driven) -> str | None:
    return driven.error.code if driven.error is not None else None
