"""The guards of a configuration, each in a chain of its own, and what one of them does with a text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
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
from sentinel_core.gateway.outside import furnished, services
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.keys import CANDIDATES, FINDINGS, PRINCIPAL, Finding, Key, Principal, Target, VerdictResult
from sentinel_core.messages import Answer
from sentinel_core.services import Services
from sentinel_core.stage import Mode, Stage, StageConfig
from sentinel_plugins.guarding.unseen import cleaned

Direction: TypeAlias = Literal["request", "response"]

ACTED = frozenset({"blocked", "masked", "monitored"})
"""Verdicts of a guard that found something, whatever its mode and action make of that."""
_MODEL = "guard-tools"
_REPLY: Key[str] = Key("guard_tools_reply")
_SENT: Key[JsonValue] = Key("guard_tools_sent")


class Asked(NamedTuple):
    """What a guard is shown: messages on their way to a model or, where there is one, what a model answers; and for
    whom. `id` is the request's by which it is asked, if one did. Raises `Refusal` where it is asked with messages that
    are none."""

    messages: Sequence[JsonMapping]
    reply: str | None = None
    principal: Principal | None = None
    id: str = _MODEL

    @classmethod
    def of(cls, text: str, direction: Direction, principal: Principal | None = None, id_: str = _MODEL) -> Asked:
        """One text as a user's message, or as a model's answer."""
        asked = text if direction == "request" else "Hello"
        return cls([{"role": "user", "content": asked}], None if direction == "request" else text, principal, id_)

    @property
    def direction(self) -> Direction:
        """Which way the texts go."""
        return "request" if self.reply is None else "response"

    @property
    def chars(self) -> int:
        """Characters that it is to look at."""
        if self.reply is not None:
            return len(self.reply)
        return sum(len(slot.text) for slot in self.context().request.texts())

    def context(self) -> Context:
        """A request of its own."""
        ctx = Context(OPENAI_CHAT.decode_request({"model": _MODEL, "messages": self.messages}), id=self.id)
        ctx[CANDIDATES] = (Target(_Answers.name, _MODEL),)
        ctx[_REPLY] = self.reply or ""
        if self.principal is not None:
            ctx[PRINCIPAL] = self.principal
        return ctx


class Checked(NamedTuple):
    """What one guard said of what it was shown, how long it took for that, and the text as it left it; None where it
    did not. A guard that answers by itself, so that no model is asked, has `blocked`. `findings` are there if it tells
    them, and `code` is that of its refusal or failure. `only_unseen` says that all it did was to take characters out
    that nobody sees."""

    guard: str
    result: VerdictResult
    seconds: float
    text: str | None
    findings: tuple[Finding, ...] = ()
    code: str | None = None
    only_unseen: bool = False

    @property
    def acted(self) -> bool | None:
        """Whether it found something; None where it could not say, because it failed or did not see everything."""
        if self.result == "allowed" or self.only_unseen:
            return False
        return True if self.result in ACTED else None


class _Answers(Stage):
    """Stands behind a guard in place of a provider: says what the context holds for it."""

    name = "guard_tools_answers"

    @hookimpl
    def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Answer:
        """The text that the guard is to see as the model's, or an empty one."""
        choice = {"index": 0, "message": {"role": "assistant", "content": ctx[_REPLY]}, "finish_reason": "stop"}
        body = {"id": "x", "object": "chat.completion", "created": 0, "model": _MODEL, "choices": [choice]}
        ctx[_SENT] = call.request.body["messages"][0].get("content")
        return OPENAI_CHAT.decode_answer(msgspec.json.encode(body))


class Guards:
    """Open guards by name, in chain order. One does not see what another one did: each is measured by itself."""

    def __init__(self, stages: Iterable[tuple[StagePlan, Stage]]) -> None:
        self._chains = {plan.name: _alone(plan, stage) for plan, stage in stages}

    @property
    def names(self) -> tuple[str, ...]:
        """Which guards there are."""
        return tuple(self._chains)

    def reading(self, direction: Direction) -> tuple[str, ...]:
        """Which of them read texts that go this way. Raises `ConfigError` where none does."""
        found = tuple(name for name in self.names if self._reads(name, direction))
        if not found:
            message = f"no guard reads {direction}s"
            raise ConfigError((ConfigProblem(message, found=", ".join(self.names), expected="one that does"),))
        return found

    def _reads(self, guard: str, direction: Direction) -> bool:
        ((_, requests, replies), *_) = self._chains[guard].guards
        return requests if direction == "request" else replies

    def mode(self, guard: str) -> Mode:
        """Whether a guard enforces or only watches."""
        (entry, *_), *_ = self._chains[guard].guards
        return entry.mode

    async def check(self, guard: str, asked: Asked, *, tell: bool = True) -> Checked:
        """What one guard does. No provider is called, and nothing is counted but what the guard counts itself.

        To `tell` its findings takes time that would count as its own.
        """
        ctx, findings, code = asked.context(), list[Finding](), None
        if tell:
            ctx[FINDINGS] = findings.append
        exchange, left = Exchange(self._chains[guard], ctx), None
        answered = False
        try:
            async with exchange as reply:
                answered = _SENT not in ctx
                if not answered and isinstance(reply, Answer):
                    left = _said(reply) if asked.direction == "response" else ctx[_SENT]
        except SentinelError as error:
            code = error.code  # the verdict says what it is: blocked, or error
        verdicts = exchange.outcome.verdicts if exchange.outcome is not None else ()
        found = (one.result for one in verdicts if one.direction == asked.direction)
        result: VerdictResult = "blocked" if answered else next(found, "not_evaluated")
        text = left if isinstance(left, str) else None
        unseen = result == "masked" and asked.reply is None and text is not None and text == _seen(asked)
        return Checked(guard, result, ctx.timings[guard], text, tuple(findings), code, unseen)


@asynccontextmanager
async def opened(gateway: Gateway, only: Sequence[str] = ()) -> AsyncIterator[Guards]:
    """The guards of a gateway that is not open, over stores that are thrown away: those of these names, without any
    those that detect. Raises `ConfigError` where there are none, or none of these names."""
    plans = _plans(gateway, only)
    async with AsyncExitStack() as stack:
        outside = _outside(gateway, stack.enter_context(ThreadPoolExecutor(thread_name_prefix="sentinel")))
        yield Guards([(plan, await stack.enter_async_context(plan.kind.open(plan.config, outside))) for plan in plans])


def live(plan: ChainPlan, stages: Sequence[Stage]) -> Guards:
    """The guards among open stages."""
    pairs = zip(plan.stages, plan.entries, stages, strict=True)
    return Guards([(one, stage) for one, entry, stage in pairs if entry.guard])


def _alone(plan: StagePlan, stage: Stage) -> Chain:
    config = StageConfig()
    chain = ChainPlan([plan, StagePlan(_Answers.name, _Answers, config)])
    return Chain(chain, [stage, _Answers(config)], {}, Tracker())


def _plans(gateway: Gateway, only: Sequence[str]) -> list[StagePlan]:
    chain = gateway.blueprint.chain
    guards = [plan for plan, entry in zip(chain.stages, chain.entries, strict=True) if entry.guard]
    names = ", ".join(plan.name for plan in guards)
    for name in only:
        if name not in [plan.name for plan in guards]:
            raise ConfigError((ConfigProblem(f"there is no guard {name!r} in the chain", expected=names or "a guard"),))
    asked = [plan for plan in guards if plan.name in only or (not only and plan.kind.detects)]
    if not asked:
        expected = f"--guard with {names}" if names else "a stage that is a guard"
        raise ConfigError((ConfigProblem("no guard is enabled", table="stages", expected=expected),))
    return asked


def _outside(gateway: Gateway, executor: ThreadPoolExecutor) -> Services:
    made = services(gateway.blueprint.registry, Overlay(), UnwrittenRecords(), executor)
    return replace(furnished(made, gateway.blueprint), dry_run=True)


def _said(answer: Answer) -> str:
    return "".join(slot.text for slot in answer.texts() if slot.kind == "content")


def _seen(asked: Asked) -> str | None:
    """The text of the only message, without what nobody sees."""
    said = asked.messages[0].get("content") if len(asked.messages) == 1 else None
    return cleaned(said) if isinstance(said, str) else None
