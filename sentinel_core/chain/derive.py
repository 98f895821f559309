"""The half a guard did not write: `on_stream` from `on_response`, and `on_response` from `on_stream`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from inspect import isawaitable

import msgspec

from sentinel_core.chain.entry import Entry
from sentinel_core.chain.faults import WrongResult, is_fault, note
from sentinel_core.chain.layers import LayerInput
from sentinel_core.chain.passage import iterated, no_event, noting, was_looked_at
from sentinel_core.chain.phases import Phase
from sentinel_core.chain.snapshot import Snapshot
from sentinel_core.chain.verdicts import FAILED_OPEN, LEFT_EARLY
from sentinel_core.context import Context
from sentinel_core.dialects.translation import translated_answer
from sentinel_core.errors import Refusal
from sentinel_core.events import Event, Finish, Opaque, TextEvent
from sentinel_core.messages import Answer
from sentinel_core.reply import each

COLLECT_CHARS = 8_000_000
"""How much of a stream a derived half may hold before that is a fault: characters, and 200 for each event."""

_EVENT_CHARS = 200  # about what a chunk's frame weighs beside its text


class CollectedTooMuch(Exception):
    """A stream outgrew what a derived half may hold."""


def collecting(entry: Entry, on_response: Phase) -> Phase:
    """`on_stream` for a stage that wrote only `on_response`: collect, check, re-emit.

    Events of unchanged text leave as their original frames; the first event of a changed text carries all of it.
    Under `on_fault = "open"` a fault re-emits what was collected, and the rest as it comes; all else is as it was.
    """

    async def on_stream(ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        held: list[Event] = []
        before: Snapshot | None = None
        try:
            await _collect(events, held)
            dialect = ctx.request.dialect
            answer = dialect.assemble(held)
            texts = dialect.answer_texts(answer.body)
            before = None if entry.plain else Snapshot(ctx)
            checked = on_response(ctx, answer)
            if isawaitable(checked):
                checked = await checked
            if not isinstance(checked, Answer):
                raise WrongResult(f"on_response must return an Answer, got {type(checked).__name__}")
            checked = translated_answer(checked, ctx.request)
            if checked is not answer:
                out = list(_reemitted(held, answer, checked))
            elif dialect.answer_texts(answer.body) != texts:  # edited in place: what was there must not leave
                out = list(_reemitted(held, dialect.assemble(held), answer))
            else:
                out = held
        except (Exception, asyncio.CancelledError) as exc:  # a cancellation that nobody asked for is a fault
            if not entry.fails_open or not is_fault(exc):
                raise
            note(entry, "on_response", exc)
            if before is not None:
                before.restore(ctx)
            ctx[FAILED_OPEN] = ctx.get(FAILED_OPEN, frozenset()) | {entry.name}
            out = held
        for event in out:
            yield event
        async for event in events:  # only after an overflow that fails open: else it has ended
            yield event

    return on_stream


async def _collect(events: AsyncIterator[Event], held: list[Event]) -> None:
    size = 0
    async for event in events:
        held.append(event)
        size += _EVENT_CHARS
        if isinstance(event, TextEvent):
            size += len(event.text)
        elif isinstance(event, Opaque):
            size += sum(len(slot.text) for slot in event.slots)
        if size > COLLECT_CHARS:
            raise CollectedTooMuch(f"a stream of more than {COLLECT_CHARS} characters cannot be held")


def _read(answer: Answer) -> tuple[dict[tuple[int, str, int], TextEvent], dict[int, str]]:
    """An answer's texts by lane, and how its choices ended."""
    events = answer.dialect.decompose(answer)
    texts: dict[tuple[int, str, int], TextEvent] = {e.lane: e for e in events if isinstance(e, TextEvent)}
    return texts, {event.choice: event.reason for event in events if isinstance(event, Finish)}


def _reemitted(held: Sequence[Event], before: Answer, after: Answer) -> Iterator[Event]:
    """The held events with the texts and ends of `after`; a text that is new there leaves ahead of its choice's end."""
    (old, ended), (new, ends) = _read(before), _read(after)
    changed = {lane for lane in old if lane not in new or new[lane].text != old[lane].text}
    added = [event for lane, event in new.items() if lane not in old]
    opaque = iter(after.opaque)
    written: set[tuple[int, str, int]] = set()
    for event in held:
        if isinstance(event, TextEvent):
            if event.lane not in changed:
                yield event
            elif event.lane not in written and event.lane in new:
                written.add(event.lane)
                yield event.with_text(new[event.lane].text)
        elif isinstance(event, Opaque) and event.slots:
            yield next(opaque, event)
        else:
            if isinstance(event, Finish):
                yield from (extra for extra in added if extra.choice == event.choice)
                added = [extra for extra in added if extra.choice != event.choice]
                reason = ends.get(event.choice)
                if reason is not None and reason != ended.get(event.choice):
                    event = msgspec.structs.replace(event, reason=reason, changed=True)
            yield event
    yield from added


def decomposing(entry: Entry, on_stream: Phase) -> Phase:
    """`on_response` for a stage that wrote only `on_stream`: decompose, run, patch the changed texts back."""

    async def on_response(ctx: Context, answer: Answer) -> Answer:
        events = answer.dialect.decompose(answer)
        given = LayerInput(each(events), None, noting)
        source = on_stream(ctx, given)
        if isawaitable(source):
            source = await source
        came: list[Event] = []
        async with aclosing(_over(iterated(source))) as handed_on:
            async for event in handed_on:
                if (wrong := no_event(event)) is not None:
                    raise wrong
                if isinstance(event, Opaque) and not was_looked_at(event):
                    if entry.unscannable == "block":
                        raise Refusal("content_policy_violation")
                    ctx.note_unread(entry.name)
                came.append(event)
        if not given.ended:
            ctx[LEFT_EARLY] = ctx.get(LEFT_EARLY, frozenset()) | {entry.name}
        return answer.dialect.recompose(answer, came)

    return on_response


async def _over(source: AsyncIterator[Event]) -> AsyncGenerator[Event, None]:
    """Iterate a stage's stream and close it whatever happens."""
    try:
        async for event in source:
            yield event
    finally:
        aclose = getattr(source, "aclose", None)
        if aclose is not None:
            await aclose()
