"""Stages that do nothing, eight of each kind, and a provider that answers from memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from benchmarks.harness import payloads
from sentinel_core.context import Call, Context, Outcome
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import Event
from sentinel_core.hookspecs import hookimpl
from sentinel_core.messages import Answer
from sentinel_core.provider import Provider
from sentinel_core.reply import EventStream, Reply
from sentinel_core.stage import Stage

EVENTS = 1000
"""Content events in each of the null provider's streams."""


class Noop(Stage):
    """On the way in and at the end, both plain functions: what most stages are on most requests."""

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        return None

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Outcome) -> None:
        return None


class Finisher(Stage):
    """As `Noop`, with an asynchronous finisher: what a stage with a store is."""

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        return None

    @hookimpl
    async def on_finish(self, ctx: Context, outcome: Outcome) -> None:
        return None


class Layer(Stage):
    """Both reply phases as well: what an output guard is before it looks at anything."""

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        return None

    @hookimpl
    def on_response(self, answer: Answer) -> Answer:
        return answer

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Outcome) -> None:
        return None


class NullProvider(Provider):
    """Answers at once, the same every time."""

    name = "bench_null"

    async def call(self, call: Call) -> Reply:
        return EventStream(_events(), dialect=OPENAI_CHAT) if call.request.stream else _ANSWER


def _decoded() -> tuple[Event, ...]:
    decoder = OPENAI_CHAT.stream_decoder()
    words = payloads.PROSE.split()
    chunks = [payloads.chunk({"content": f" {words[number % len(words)]}"})[6:-2] for number in range(EVENTS)]
    events = [event for chunk in chunks for event in decoder.decode(chunk)]
    return (*events, *decoder.decode(payloads.chunk({}, "stop")[6:-2]))


_ANSWER = OPENAI_CHAT.decode_answer(payloads.answer_body())
_EVENTS = _decoded()


async def _events() -> AsyncIterator[Event]:
    for event in _EVENTS:
        yield event


def _named(base: type[Stage], kind: str) -> list[type[Stage]]:
    return [type(base.__name__, (base,), {"name": f"{kind}_{number}"}) for number in range(1, 9)]


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    return [*_named(Noop, "noop"), *_named(Finisher, "finisher"), *_named(Layer, "layer")]


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    return [NullProvider]
