"""The way out: the reply phases, reversed, and an upstream's own words through the guards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from sentinel_core.cancellation import own_failure
from sentinel_core.chain.entry import Entry
from sentinel_core.chain.faults import as_fault, is_fault, note
from sentinel_core.chain.layers import StreamLayer
from sentinel_core.chain.pipe import Pipe, Segment
from sentinel_core.chain.results import answered
from sentinel_core.chain.snapshot import Snapshot
from sentinel_core.chain.unread import judge_unread
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import translated_answer
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Event, Finish, TextDelta
from sentinel_core.messages import Answer

if TYPE_CHECKING:
    from sentinel_core.chain.exchange import Exchange


async def respond(exchange: Exchange, answer: Answer, depth: int) -> Answer:
    """A unary answer through the `on_response` of the first `depth` stages, last one first.

    Where there is one, the body leaves re-encoded: of a repeated key the guards saw only the last value.
    """
    steps = exchange.chain.responses[depth]
    if steps and answer.raw is not None:
        answer = msgspec.structs.replace(answer, raw=None)
    in_part = exchange.chain.reads_responses_in_part[depth]
    seen: Answer | None = None
    for entry, phase, waits in steps:
        if in_part and entry.guard:
            if answer is not seen:
                seen = answer
                unreadable = answer.unreadable
            if unreadable:
                judge_unread(exchange, entry, "response")
        before = None if entry.plain else Snapshot(exchange.ctx)
        started = perf_counter()
        try:
            given = answer
            answer = await phase(exchange.ctx, given) if waits else phase(exchange.ctx, given)
            if answer.__class__ is not Answer or answer.dialect is not given.dialect:
                answer = translated_answer(await answered(answer), exchange.ctx.request)
        except BaseException as exc:  # `_failed` tells a fault, which a cancellation may be, from a decision
            exchange.seconds[entry.position] += perf_counter() - started
            answer, started = _failed(exchange, entry, exc, given, before), perf_counter()
        else:
            exchange.verdicts.note(entry, "response", "allowed" if answer is given else "masked", answer)
        exchange.seconds[entry.position] += perf_counter() - started
    return answer


def _failed(exchange: Exchange, entry: Entry, exc: BaseException, answer: Answer, before: Snapshot | None) -> Answer:
    """A guard that refuses or faults: the answer goes on only past a fault that fails open, and all is as before."""
    if isinstance(exc, Refusal):
        exchange.verdicts.note(entry, "response", "blocked")
        raise exc
    if not is_fault(exc):
        raise exc
    reason = "took too long" if isinstance(exc, TimeoutError) else "raised"
    if before is None or not entry.fails_open:
        exchange.verdicts.note(entry, "response", "error")
        raise as_fault(entry, "on_response", exc, reason) from exc
    exchange.verdicts.note(entry, "response", "error", answer)
    note(entry, "on_response", exc, reason)
    before.restore(exchange.ctx)
    return answer


def layers(exchange: Exchange, source: AsyncIterator[Event], depth: int) -> AsyncIterator[Event]:
    """The `on_stream` of the first `depth` stages over the source, the first stage outermost.

    Neighbours that wait for nothing but the layer below share one loop.
    """
    pipe: Pipe | None = None
    for entry, phase, _ in exchange.chain.streams[depth]:
        layer = StreamLayer(entry, phase, exchange.ctx, source, exchange.seconds, exchange.verdicts)
        if layer.transform is None:
            exchange.endings.add_layer(layer)
            source, pipe = layer, None
            continue
        if pipe is None:
            source = pipe = Pipe(source)
            exchange.endings.add_layer(pipe)
        pipe.add(Segment(entry, layer.transform, exchange.seconds, layer.passage))
    return source


async def screened(exchange: Exchange, error: UpstreamError) -> UpstreamError:
    """The error with its words as the entered guards let them pass, or with the code's own if one does not.

    After more than one call it says not to retry: only one layer does, else three times three calls go up.
    """
    if len(exchange.ctx.attempts) > 1:
        error.should_retry = False
    if not error.verbatim or not exchange.chain.responses[exchange.entered]:
        return error
    said = [error.message, error.type, error.param or "", error.wire_code or ""]
    message, kind, param, code = await _passed(exchange, said) or ("", "", "", "")
    error.say(message, kind, param, code)
    error.verbatim = False
    return error


async def _passed(exchange: Exchange, said: Sequence[str]) -> list[str] | None:
    """What guards let pass of an error's words; None where one refuses or faults.

    The words are a chat's answer to every guard, each a choice of it: not every dialect's own answers hold text.
    """
    answer = OPENAI_CHAT.assemble(
        [*(TextDelta(choice=number, text=text) for number, text in enumerate(said)), Finish()]
    )
    before: Snapshot | None = None
    try:
        for entry, phase, _ in exchange.chain.responses[exchange.entered]:
            before = None if entry.plain else Snapshot(exchange.ctx)
            answer = await answered(phase(exchange.ctx, answer))
    except (Exception, asyncio.CancelledError) as exc:  # a guard that refuses or faults: its words are not shown
        if not own_failure(exc):
            raise
        if before is not None and is_fault(exc):
            before.restore(exchange.ctx)
        return None
    passed = [""] * len(said)
    for event in answer.dialect.decompose(answer):
        if isinstance(event, TextDelta):
            passed[event.choice] += event.text
    return passed
