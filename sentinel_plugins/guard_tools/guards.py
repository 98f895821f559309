"""The guards of a configuration, each in a chain of its own, and one text through one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from sentinel_core.chain import Chain, ChainPlan, Exchange, StagePlan, Tracker
from sentinel_core.context import Call, CallNext, Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dry_run import Overlay, UnwrittenRecords
from sentinel_core.errors import ConfigError, ConfigProblem, SentinelError
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.outside import services
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import CANDIDATES, Key, Target, VerdictResult
from sentinel_core.messages import Answer
from sentinel_core.prices import Prices
from sentinel_core.services import Services
from sentinel_core.stage import Stage, StageConfig

Direction: TypeAlias = Literal["request", "response"]

ACTED = frozenset({"blocked", "masked", "monitored"})
"""Verdicts of a guard that found something, whatever its mode and action make of that."""
_MODEL = "guard-tools"
_REPLY: Key[str] = Key("guard_tools_reply")
_SENT: Key[str] = Key("guard_tools_sent")


class Checked(NamedTuple):
    """What one guard said of one text, how long it took for that, and the text as it left it; None where it did not.
    A guard that answers by itself, so that no model is asked, has `blocked`."""

    guard: str
    result: VerdictResult
    seconds: float
    text: str | None

    @property
    def acted(self) -> bool | None:
        """Whether it found something; None where it could not say, because it failed or did not see everything."""
        return True if self.result in ACTED else False if self.result == "allowed" else None


class _Answers(Stage):
    """Stands behind a guard in place of a provider: says what the context holds for it."""

    name = "guard_tools_answers"

    @hookimpl
    def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Answer:
        """The text that the guard is to see as the model's, or an empty one."""
        choice = {"index": 0, "message": {"role": "assistant", "content": ctx[_REPLY]}, "finish_reason": "stop"}
        body = {"id": "x", "object": "chat.completion", "created": 0, "model": _MODEL, "choices": [choice]}
        ctx[_SENT] = call.request.body["messages"][0]["content"]
        return OPENAI_CHAT.decode_answer(msgspec.json.encode(body))


class Guards:
    """Open guards by name, in chain order. One does not see what another one did: each is measured by itself."""

    def __init__(self, chains: dict[str, Chain]) -> None:
        self._chains = chains

    @property
    def names(self) -> tuple[str, ...]:
        """Which guards there are."""
        return tuple(self._chains)

    async def check(self, guard: str, text: str, direction: Direction) -> Checked:
        """One text as a user's message, or as a model's answer. No provider is called, and nothing is counted."""
        asked = text if direction == "request" else "Hello"
        request = {"model": _MODEL, "messages": [{"role": "user", "content": asked}]}
        ctx = Context(OPENAI_CHAT.decode_request(request), id=_MODEL)
        ctx[CANDIDATES] = (Target(_Answers.name, _MODEL),)
        ctx[_REPLY] = text if direction == "response" else ""
        exchange, left = Exchange(self._chains[guard], ctx), None
        answered = False
        try:
            async with exchange as reply:
                answered = _SENT not in ctx
                if not answered and isinstance(reply, Answer):
                    left = ctx[_SENT] if direction == "request" else _said(reply)
        except SentinelError:
            left = None  # the verdict says which: blocked, or error
        verdicts = exchange.outcome.verdicts if exchange.outcome is not None else ()
        found = (one.result for one in verdicts if one.direction == direction)
        result: VerdictResult = "blocked" if answered else next(found, "not_evaluated")
        return Checked(guard, result, ctx.timings[guard], left)


@asynccontextmanager
async def opened(gateway: Gateway, only: Sequence[str] = ()) -> AsyncIterator[Guards]:
    """The guards of a gateway that is not open, over stores that are thrown away. Raises `ConfigError` where there are
    none, or none of these names."""
    plans = _plans(gateway, only)
    async with AsyncExitStack() as stack:
        outside = _outside(gateway, stack.enter_context(ThreadPoolExecutor(thread_name_prefix="sentinel")))
        chains = {}
        for plan in plans:
            stage = await stack.enter_async_context(plan.kind.open(plan.config, outside))
            config = StageConfig()
            chain = ChainPlan([plan, StagePlan(_Answers.name, _Answers, config)])
            chains[plan.name] = Chain(chain, [stage, _Answers(config)], {}, Tracker())
        yield Guards(chains)


def _plans(gateway: Gateway, only: Sequence[str]) -> list[StagePlan]:
    chain = gateway.blueprint.chain
    guards = [plan for plan, entry in zip(chain.stages, chain.entries, strict=True) if entry.guard]
    names = ", ".join(plan.name for plan in guards)
    for name in only:
        if name not in [plan.name for plan in guards]:
            raise ConfigError((ConfigProblem(f"there is no guard {name!r} in the chain", expected=names or "a guard"),))
    if not guards:
        raise ConfigError((ConfigProblem("no guard is enabled", table="stages", expected="a stage that is a guard"),))
    return [plan for plan in guards if not only or plan.name in only]


def _outside(gateway: Gateway, executor: ThreadPoolExecutor) -> Services:
    blueprint = gateway.blueprint
    prices = Prices(blueprint.catalogue, {plan.name: plan.kind for plan in blueprint.providers})
    made = services(blueprint.registry, Overlay(), UnwrittenRecords(), executor)
    return replace(made, extra={**made.extra, "catalogue": blueprint.catalogue, "prices": prices})


def _said(answer: Answer) -> str:
    return "".join(slot.text for slot in answer.texts() if slot.kind == "content")
