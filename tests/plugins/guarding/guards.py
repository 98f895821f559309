"""A chain of the guards that replace values, opened together as a generation opens them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sentinel_core.chain import Chain, ChainPlan, StagePlan, Tracker
from sentinel_core.context import Context, Outcome
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonValue, TomlTable
from sentinel_core.services import Services
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import Driven, FakeProvider, context, fake_services, run
from sentinel_core.testing.harness import opened
from sentinel_plugins.pii.stage import Pii
from sentinel_plugins.secrets.stage import Secrets
from tests.loops import Loop

KINDS: dict[str, type[Stage]] = {"pii": Pii, "secrets": Secrets}

SSN = {"pattern": r"\d{3}-\d{2}-\d{4}", "max_length": 11}
MAIL = {"pattern": r"[a-z.]+@[a-z]+\.[a-z]{2,4}", "max_length": 40}
PII: TomlTable = {"entities": [], "custom": {"OWN_SSN": SSN, "OWN_MAIL": MAIL}}
KEY = {"pattern": r"sk-ant-[a-z0-9]{4,20}", "max_length": 30}
DSN = {"pattern": r"db://[a-z]+:[a-z]+@[a-z.]+", "max_length": 60}
SECRETS: TomlTable = {"entities": [], "custom": {"OWN_KEY": KEY, "OWN_DSN": DSN}}


class Adds(Stage):
    """Puts a text in the place of the first message."""

    name = "adds"

    def __init__(self, text: str) -> None:
        super().__init__(StageConfig())
        self._text = text

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx.request = ctx.request.with_texts({("messages", 0, "content"): self._text})


def everywhere(mail: str, text: str) -> dict[str, Any]:  # fields of a request: JSON
    """A request with the text in every kind of place where strings stand, and the address where only a word may."""
    arguments = json.dumps({"to": mail}).replace("@", "\\u0040")
    return {
        "messages": [
            {"role": "system", "content": text},
            {"role": "user", "name": mail, "content": [{"type": "text", "text": text}]},
            {"role": "assistant", "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
            ]},
            {"role": "tool", "tool_call_id": "c", "content": text},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": text, "parameters": {text: "x"}}}],
        "unknown": {"deep": [text]},
    }  # fmt: skip


@dataclass
class Guards:
    """An open chain in front of one scripted provider."""

    chain: Chain
    provider: FakeProvider
    services: Services
    tracker: Tracker

    async def ask(self, prompt: str = "Hello", *, stream: bool = False, **fields: JsonValue) -> Driven:
        return await self.asked(context(prompt, stream=stream, **fields))

    async def asked(self, ctx: Context) -> Driven:
        driven = await run(self.chain, ctx)
        await self.tracker.drained()
        driven.sent = self.provider.calls
        return driven

    def counted(self, name: str) -> dict[tuple[str, ...], int]:
        families = {family.name: family for family in self.services.counts}
        return dict(families[name].read())


@asynccontextmanager
async def guards(provider: FakeProvider, *others: Stage, **tables: TomlTable | StageConfig) -> AsyncIterator[Guards]:
    """The stages of these tables in their order, then the others."""
    tracker = Tracker()
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(fake_services())
        live = [await stack.enter_async_context(opened(KINDS[name], table, services)) for name, table in tables.items()]
        live += [(stage, stage.config) for stage in others]
        plan = ChainPlan([StagePlan(stage.name, type(stage), config) for stage, config in live])
        chain = Chain(plan, [stage for stage, _ in live], {"fake": provider}, tracker)
        yield Guards(chain, provider, services, tracker)


class Ask(Protocol):
    """Sends one answer, in these pieces, through guards that are open."""

    def __call__(self, pieces: Sequence[str], *, stream: bool) -> Driven: ...


@contextmanager
def answering(**tables: TomlTable) -> Iterator[Ask]:
    """The guards of these tables, opened once for many answers."""
    provider = FakeProvider()
    with Loop() as loop:
        stack = AsyncExitStack()
        chain = loop.run(stack.enter_async_context(guards(provider, **tables)))

        def ask(pieces: Sequence[str], *, stream: bool) -> Driven:
            provider.script(tuple(pieces))
            return loop.run(chain.ask(stream=stream))

        try:
            yield ask
        finally:
            loop.run(stack.aclose())


def verdicts(driven: Driven) -> dict[tuple[str, str], str]:
    assert driven.outcome is not None
    return verdicts_of(driven.outcome)


def verdicts_of(outcome: Outcome) -> dict[tuple[str, str], str]:
    return {(verdict.guard, verdict.direction): verdict.result for verdict in outcome.verdicts}


def sent(driven: Driven) -> str:
    """What the provider was asked last."""
    message: str = driven.sent[-1].request.body["messages"][-1]["content"]
    return message
