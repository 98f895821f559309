"""A chain around a fake provider, and one exchange driven through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn, TypeAlias

from sentinel_core.chain import Chain, ChainPlan, Delivery, Exchange, StagePlan, Tracker
from sentinel_core.config import settings_from
from sentinel_core.context import Call, Client, Context, Outcome
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import ConfigError, SentinelError
from sentinel_core.events import Event, TextEvent
from sentinel_core.json_types import JsonValue, TomlValue
from sentinel_core.keys import CANDIDATES, Target
from sentinel_core.messages import Answer
from sentinel_core.records import RecordStore
from sentinel_core.registry import Registry
from sentinel_core.services import HttpClient, HttpPools, Services
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.state import StateStore
from sentinel_core.testing.fake_clock import FakeClock, settle
from sentinel_core.testing.fake_provider import FakeProvider, Item
from sentinel_core.testing.replies import chat_body

Table: TypeAlias = Mapping[str, TomlValue] | StageConfig | None
"""A stage's configuration: as its TOML table would say it, as its Struct, or nothing."""


@dataclass(slots=True)
class Driven:
    """What came of one exchange. `error` is what ended it, if anything did; `sent` is what the provider was asked."""

    events: list[Event] = field(default_factory=list)
    answer: Answer | None = None
    error: SentinelError | None = None
    outcome: Outcome | None = None
    sent: list[Call] = field(default_factory=list)
    ctx: Context | None = None

    @property
    def text(self) -> str:
        """The content that was delivered, streamed or not."""
        return self.lane()

    def lane(self, channel: str = "content", choice: int = 0, index: int = 0) -> str:
        """The text delivered in one lane."""
        events = self.answer.dialect.decompose(self.answer) if self.answer is not None else self.events
        wanted = (choice, channel, index)
        return "".join(event.text for event in events if isinstance(event, TextEvent) and event.lane == wanted)


def stage_config(kind: type[Stage], table: Table) -> StageConfig:
    """The stage's configuration, converted and checked like a file's. Raises `ConfigError`."""
    if isinstance(table, StageConfig):
        return table
    plain = settings_from({"stages": {kind.name: dict(table or {})}}).stages[kind.name]
    config, problems = plain.convert(kind.Config)
    if config is None or problems:
        raise ConfigError(problems)
    return config


def chain_of(
    stages: Sequence[Stage | tuple[Stage, StageConfig]], provider: FakeProvider, tracker: Tracker | None = None
) -> Chain:
    """A chain of opened stages in this order, in front of one provider."""
    pairs = [stage if isinstance(stage, tuple) else (stage, stage.config) for stage in stages]
    plan = ChainPlan([StagePlan(stage.name, type(stage), config) for stage, config in pairs])
    return Chain(plan, [stage for stage, _ in pairs], {"fake": provider}, tracker or Tracker())


def context(
    prompt: str = "Hello", *, stream: bool = False, client: Client | None = None, **fields: JsonValue
) -> Context:
    """A context for one chat request; further fields go into its body."""
    request = OPENAI_CHAT.decode_request(chat_body(prompt, stream=stream, **fields))
    ctx = Context(request, id="test", client=client)
    ctx[CANDIDATES] = (Target("fake", "fake"),)
    return ctx


async def run(chain: Chain, ctx: Context, *, in_turn: bool = False) -> Driven:
    """One exchange from beginning to end. Refusals, faults and upstream errors land in `error`.

    With `in_turn`, exchanges that run side by side have all begun before one is read, and are read event by event.
    """
    driven = Driven(ctx=ctx)
    exchange = Exchange(chain, ctx)
    try:
        async with exchange as reply:
            if isinstance(reply, Delivery):
                if in_turn:
                    await settle()
                async for event in reply:
                    driven.events.append(event)
                    if in_turn:
                        await asyncio.sleep(0)
            else:
                driven.answer = reply
    except SentinelError as exc:
        driven.error = exc
    driven.outcome = exchange.outcome
    return driven


async def drive(
    stage: type[Stage] | Stage,
    config: Table = None,
    prompt: str = "Hello",
    *,
    reply: Sequence[Item] = ("Hello",),
    stream: bool = True,
    services: Services | None = None,
    **fields: JsonValue,
) -> Driven:
    """Send one prompt through a single stage, with a fake upstream that replies with `reply`.

    >>> driven = await drive(Words, {"words": ["secret"]}, "Hi", reply=["the sec", "ret"])
    >>> driven.text
    'the ******'
    """
    provider = FakeProvider(reply)
    async with opened(stage, config, services) as live:
        tracker = Tracker()
        driven = await run(chain_of([live], provider, tracker), context(prompt, stream=stream, **fields))
        await tracker.drained()
    driven.sent = provider.calls
    return driven


@asynccontextmanager
async def opened(
    stage: type[Stage] | Stage, config: Table = None, services: Services | None = None
) -> AsyncIterator[tuple[Stage, StageConfig]]:
    """A stage, opened with its configuration, and that configuration."""
    if isinstance(stage, Stage):
        yield stage, stage.config
        return
    converted = stage_config(stage, config)
    if services is not None:
        async with stage.open(converted, services) as live:
            yield live, converted
        return
    async with fake_services() as made, stage.open(converted, made) as live:
        yield live, converted


@asynccontextmanager
async def fake_services(
    clock: FakeClock | None = None,
    **extra: Any,  # services by their names
) -> AsyncIterator[Services]:
    """Services without an outside world: a fake clock, no network, stores in memory. `extra` are others, by name."""
    state_kind, records_kind = _stores_in_memory()
    with ThreadPoolExecutor(max_workers=2) as executor:
        async with state_kind.open(state_kind.Config()) as state, records_kind.open(records_kind.Config()) as records:
            yield Services(
                clock=clock or FakeClock(),
                http=NoNetwork(),
                executor=executor,
                state=state,
                records=records,
                extra=extra,
            )


@cache
def _stores_in_memory() -> tuple[type[StateStore], type[RecordStore]]:
    registry = Registry()
    registry.load("memory", "state")
    registry.load("memory", "records")
    return registry.state_stores["memory"], registry.record_stores["memory"]


class NoNetwork(HttpPools):
    """Pools that cannot be opened: a test that needs an upstream brings one."""

    def pool(self, *, connections: int) -> AbstractAsyncContextManager[HttpClient]:
        """Raises RuntimeError."""
        return _refused()


def _refused() -> NoReturn:
    raise RuntimeError("tests on the kit have no network; use FakeProvider, or services with pools of your own")


def encoded(driven: Driven) -> bytes:
    """What the caller got, as bytes: the body, or the whole SSE stream."""
    if driven.answer is not None:
        return driven.answer.dialect.encode_answer(driven.answer)
    assert driven.ctx is not None
    encoder = driven.ctx.request.dialect.stream_encoder(driven.ctx.request)
    sent = b"".join(encoder.encode(event) for event in driven.events)
    return sent + (encoder.fail(driven.error) if driven.error is not None else encoder.finish())
