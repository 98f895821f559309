"""A plugin answers in a dialect of its own, and every client is answered in the client's; what cannot be is a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sentinel_core.chain import Delivery, Exchange, Tracker
from sentinel_core.context import Call, CallNext, Context
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.errors import StageFault
from sentinel_core.events import Event, TextDelta
from sentinel_core.keys import CANDIDATES, Target
from sentinel_core.messages import Answer
from sentinel_core.reply import EventStream, Reply
from sentinel_core.stage import Stage
from sentinel_core.testing import Driven, FakeProvider, chain_of, completion, content_chunk, encoded, finish_chunk, run
from sentinel_core.testing.clients import CLIENTS, asked, reads
from sentinel_core.testing.replies import events_of
from tests.core.chain.stages import Method, open_on_fault, stage

STREAM = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
CLIENT = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
KIND = pytest.mark.parametrize("kind", ["answer", "stream"])


class Own:
    """A reply in OpenAI's chat form, whoever asks, and how often its stream was closed."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.closed = 0

    def reply(self) -> Reply:
        if self.kind == "answer":
            return completion("own words")
        return EventStream(self._events(), self._close, dialect=OPENAI_CHAT)

    async def _events(self) -> AsyncIterator[Event]:
        for payload in (content_chunk("own "), content_chunk("words"), finish_chunk()):
            for event in events_of(payload):
                yield event

    async def _close(self) -> None:
        self.closed += 1


def phase(name: str, own: Own) -> Method:
    """A phase that answers so."""

    async def on_request(self: Stage) -> Reply:
        return own.reply()

    async def dispatch(self: Stage, call: Call, call_next: CallNext) -> Reply:
        return own.reply()

    return on_request if name == "on_request" else dispatch


class Dropping(FakeProvider):
    """Names what it could not be told."""

    async def call(self, call: Call) -> Reply:
        reply = await super().call(call)
        if isinstance(reply, EventStream):
            return EventStream(reply, reply.aclose, ("seed",), dialect=reply.dialect)
        return Answer(dialect=reply.dialect, body=reply.body, dropped=("seed",))


async def answered(*stages: Stage, ctx: Context, provider: FakeProvider | None = None) -> Driven:
    """What comes of one request in front of a provider that answers in OpenAI's chat form."""
    provider, tracker = provider or FakeProvider(("up", "stream")), Tracker()
    ctx[CANDIDATES] = (Target("fake", "fake"),)
    driven = await run(chain_of(stages, provider, tracker), ctx)
    await tracker.drained()
    driven.sent = provider.calls
    assert provider.opened == provider.closed
    return driven


def heard(driven: Driven) -> str:
    """The content that the client reads."""
    assert driven.error is None
    assert driven.ctx is not None
    return "".join(event.text for event in reads(driven.ctx, encoded(driven)) if isinstance(event, TextDelta))


@CLIENT
@STREAM
async def test_a_providers_reply_reaches_every_client(client: Dialect, stream: bool) -> None:
    ctx = asked(client, stream=stream)
    assert heard(await answered(ctx=ctx)) == "upstream"
    assert [attempt.ending for attempt in ctx.attempts] == ["completed"]


@CLIENT
@STREAM
async def test_what_the_upstream_could_not_be_told_is_still_named(client: Dialect, stream: bool) -> None:
    driven = await answered(ctx=asked(client, stream=stream), provider=Dropping())
    assert heard(driven) == "Hello"
    assert driven.ctx is not None
    assert driven.ctx.headers["x-sentinel-dropped-params"] == "seed"


@CLIENT
@STREAM
@KIND
@pytest.mark.parametrize("place", ["on_request", "dispatch"])
async def test_a_stages_reply_reaches_every_client(place: str, kind: str, client: Dialect, stream: bool) -> None:
    own = Own(kind)
    driven = await answered(stage("own", phase(place, own)), ctx=asked(client, stream=stream))
    assert (heard(driven), driven.sent) == ("own words", [])
    assert own.closed == (kind == "stream")


@CLIENT
@STREAM
async def test_an_answer_in_the_place_of_anothers_reaches_every_client(client: Dialect, stream: bool) -> None:
    dialects: list[Dialect] = []

    def on_response(self: Stage, answer: Answer) -> Answer:
        dialects.append(answer.dialect)
        return completion("own words")

    stages = [stage(name, on_response) for name in ("second", "first")]
    assert heard(await answered(*stages, ctx=asked(client, stream=stream))) == "own words"
    assert dialects == [client, client]


@STREAM
async def test_an_answer_in_anthropics_format_reaches_clients_of_openais(stream: bool) -> None:
    said = b'{"type":"message","role":"assistant","content":[{"type":"text","text":"own"}],"stop_reason":"end_turn"}'

    def on_request(self: Stage) -> Answer:
        return ANTHROPIC_MESSAGES.decode_answer(said)

    assert heard(await answered(stage("own", on_request), ctx=asked(OPENAI_CHAT, stream=stream))) == "own"


async def test_a_client_who_leaves_early_closes_what_was_translated() -> None:
    own = Own("stream")
    ctx, tracker = asked(ANTHROPIC_MESSAGES, stream=True), Tracker()
    ctx[CANDIDATES] = (Target("fake", "fake"),)
    async with Exchange(chain_of([stage("own", phase("dispatch", own))], FakeProvider(), tracker), ctx) as reply:
        assert isinstance(reply, Delivery)
        await anext(reply)
    await tracker.drained()
    assert own.closed == 1


def text_completion(stream: bool) -> Context:
    """What no chat can answer: a request of `/v1/completions`."""
    return Context(OPENAI_COMPLETIONS.decode_request({"model": "fake", "prompt": "Hello", "stream": stream}), id="test")


@STREAM
@KIND
@pytest.mark.parametrize("place", ["on_request", "dispatch"])
async def test_a_reply_that_no_translation_makes_the_clients_is_the_stages_fault(
    place: str, kind: str, stream: bool
) -> None:
    own = Own(kind)
    driven = await answered(stage("own", phase(place, own)), ctx=text_completion(stream))
    assert isinstance(driven.error, StageFault)
    assert (driven.error.stage, driven.error.phase) == ("own", place)
    cause = "a client of openai.completions cannot be given an answer in openai.chat"
    assert str(driven.error.__cause__) == cause
    assert own.closed == (kind == "stream")


async def test_a_stage_that_fails_open_may_answer_in_a_form_that_nobody_asked_for() -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        return completion("own words")

    said = OPENAI_COMPLETIONS.decode_answer(b'{"object":"text_completion","choices":[{"index":0,"text":"theirs"}]}')

    def on_request(self: Stage) -> Answer:
        return said

    stages = [stage("own", on_response, config=open_on_fault()), stage("theirs", on_request)]
    driven = await answered(*stages, ctx=text_completion(stream=False))
    assert driven.answer is not None
    assert driven.answer.body == said.body


@STREAM
async def test_a_reply_that_no_translation_makes_the_clients_is_the_providers_fault(stream: bool) -> None:
    class Completes(FakeProvider):
        operations = frozenset({"completion"})

    driven = await answered(ctx=text_completion(stream), provider=Completes())
    assert isinstance(driven.error, StageFault)
    assert (driven.error.stage, driven.error.phase) == ("provider fake", "call")
