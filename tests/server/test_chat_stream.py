"""`POST /v1/chat/completions`, streamed, from a socket to the upstream's and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sentinel_core.context import Context, Outcome
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Event, TextDelta
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.stage import Stage
from tests.pace import PATIENCE_S
from tests.server.edge_fixture import access_lines
from tests.server.gateway_fixture import chat, chat_server
from tests.server.serving import RUNNERS
from tests.server.wire import Wire
from tests.upstream import Close, Hold, Reply, Stall, Stream, Upstream, chat_stream, completion, delta, sse

pytestmark = pytest.mark.parametrize("runner", RUNNERS)


class Blocks(Stage):
    """Refuses the answer at the word "bad"."""

    name = "blocks"

    @hookimpl
    async def on_stream(self, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, TextDelta) and "bad" in event.text:
                raise Refusal("content_policy_violation")
            yield event


def payloads(body: bytes) -> list[JsonValue]:
    """The data of every event of a stream; comments are skipped, anything else is an error."""
    found: list[JsonValue] = []
    for block in body.decode().split("\n\n"):
        if block and not block.startswith(":"):
            name, _, data = block.partition(": ")
            assert name == "data"
            assert "\n" not in data
            found.append(data if data == "[DONE]" else json.loads(data))
    return found


def text(events: list[JsonValue]) -> str:
    """What the deltas say."""
    chunks = [event for event in events if isinstance(event, dict)]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk.get("choices", ()))


async def first_data(wire: Wire) -> bytes:
    """The first chunk that carries data."""
    async for chunk in wire.chunks():
        if b"data:" in chunk:
            return chunk
    raise AssertionError("the stream ended")


async def test_s0_14_a_stream_arrives_token_by_token_and_ends_with_done(runner: str, upstream: Upstream) -> None:
    go = asyncio.Event()
    frames = chat_stream("one", "two")
    upstream.script("m", Stream([*frames[:2], Hold(go), *frames[2:]]))
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        await wire.send(chat(stream=True))
        head = await wire.head()
        assert head.status == 200
        assert head.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert head.headers["x-accel-buffering"] == "no"
        assert head.headers["x-request-id"]
        begun = await first_data(wire)
        go.set()
        events = payloads(begun + b"".join([chunk async for chunk in wire.chunks()]))
        assert text(events) == "onetwo"
        assert events[-1] == "[DONE]"


async def test_u15_an_upstream_that_answers_json_is_streamed_all_the_same(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Reply(completion("whole")))
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        events = payloads((await wire.ask(chat(stream=True))).body)
        assert text(events) == "whole"
        assert events[-1] == "[DONE]"


async def test_h38_text_that_looks_like_the_end_of_a_stream_is_text(runner: str, upstream: Upstream) -> None:
    said = 'one\n\ndata: [DONE]\n\n\r\u2028"}two'
    upstream.script("m", Stream(chat_stream(said)))
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        events = payloads((await wire.ask(chat(stream=True))).body)
        assert text(events) == said
        assert events.count("[DONE]") == 1


async def test_u24_nothing_of_an_upstreams_head_reaches_the_client(runner: str, upstream: Upstream) -> None:
    hostile = [
        ("Set-Cookie", "canary=1"),
        ("Server", "canary"),
        ("x-litellm-key", "canary"),
        ("Keep-Alive", "canary=5"),
    ]
    async with chat_server(upstream, runner=runner) as (served, _):
        for reply in (Reply(completion("one"), headers=hostile), Stream(chat_stream("one"), headers=hostile)):
            upstream.script("m", reply)
            async with served.connect() as wire:
                answer = await wire.ask(chat(stream=isinstance(reply, Stream)))
                assert answer.status == 200
                assert "canary" not in str(answer.headers)
                assert not answer.headers.keys() & {"set-cookie", "server", "x-litellm-key", "keep-alive"}


async def test_a_stream_that_breaks_is_never_dressed_as_complete(runner: str, upstream: Upstream) -> None:
    frames = chat_stream("one", "two")
    upstream.script("m", Stream([*frames[:3], Close()]))
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(chat(stream=True))
            events = payloads(answer.body)
            assert answer.status == 200
            assert text(events[:-1]) == "onetwo"
            assert events[-1]["error"]["code"] == "upstream_stream_interrupted"
            assert b"[DONE]" not in answer.body
            assert b'"finish_reason":"' not in answer.body
            record = await lines.next()
        assert (record.end, record.error, record.stream) == ("SD", "upstream_stream_interrupted", True)


@pytest.mark.parametrize(
    ("then", "status"),
    [(Close(), "failed"), ("bad", "refused"), ("stuck", "cancelled")],
    ids=["breaks", "bad", "stuck"],
)
async def test_a_stream_that_fails_says_so_before_the_stages_finish(
    then: Close | str, status: str, runner: str, upstream: Upstream
) -> None:
    told, statuses = asyncio.Event(), list[str]()

    class Finishes(Stage):
        """Finishes once the client knows; does not get past the word "stuck"."""

        name = "finishes"

        @hookimpl
        async def on_stream(self, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
            async for event in events:
                if isinstance(event, TextDelta) and event.text == "stuck":
                    await asyncio.Event().wait()
                yield event

        @hookimpl
        async def on_finish(self, ctx: Context, outcome: Outcome) -> None:
            await told.wait()
            statuses.append(outcome.status)

    frames = chat_stream("one", then if isinstance(then, str) else "two", done=False, finish=None)
    upstream.script("m", Stream([*frames, Stall() if isinstance(then, str) else then]))
    limit_s = 0.3 if then == "stuck" else PATIENCE_S
    server = chat_server(upstream, Finishes, Blocks, runner=runner, request_timeout_s=limit_s)
    async with server as (served, gateway), served.connect() as wire:
        try:
            answer = await wire.ask(chat(stream=True))
        finally:
            told.set()
        assert b'"error"' in answer.body
        assert statuses == []
        await gateway.drain()
    assert statuses == [status]


async def test_an_error_before_the_first_event_keeps_its_own_status(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Reply({"error": {"message": "no", "code": "x"}}, 500))
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat(stream=True))
        assert (answer.status, answer.headers["content-type"]) == (502, "application/json")


async def test_a_guards_refusal_before_the_first_event_keeps_its_own_status(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream(chat_stream("bad")[1:]))  # without the role-only frame, which would be the first event
    async with chat_server(upstream, Blocks, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat(stream=True))
        assert (answer.status, answer.code) == (400, "content_policy_violation")
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("beside", [{}, {"x_groq": {"id": "req_01"}}], ids=["openai", "groq"])
async def test_an_opening_frame_commits_nothing(runner: str, upstream: Upstream, beside: JsonObject) -> None:
    opening = sse({**delta("", role="assistant"), **beside})
    upstream.script("m", Stream([opening, *chat_stream("bad")[1:]]))
    async with chat_server(upstream, Blocks, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat(stream=True))
        assert (answer.status, answer.code) == (400, "content_policy_violation")


async def test_opening_frames_leave_with_the_first_words(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream(chat_stream("good", "bad")))
    async with chat_server(upstream, Blocks, runner=runner) as (served, _), served.connect() as wire:
        role, *_ = payloads((await wire.ask(chat(stream=True))).body)
        assert role["choices"][0]["delta"]["role"] == "assistant"


async def test_a_guards_refusal_after_the_first_event_is_one_error_event(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream(chat_stream("good", "bad")))
    async with chat_server(upstream, Blocks, runner=runner) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            events = payloads((await wire.ask(chat(stream=True))).body)
            assert text(events[:-1]) == "good"
            assert events[-1]["error"]["code"] == "content_policy_violation"
            assert (await lines.next()).end == "PD"


async def test_silence_is_filled_with_comments_before_and_between_events(runner: str, upstream: Upstream) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    frames = chat_stream("one", "two")
    upstream.script("m", Stream([Hold(first), *frames[:2], Hold(second), *frames[2:]]))
    server = chat_server(upstream, runner=runner, keep_alive_comment_s=0.05)
    async with server as (served, _), served.connect() as wire:
        await wire.send(chat(stream=True))
        assert (await wire.head()).status == 200
        body = b""
        async for chunk in wire.chunks():
            body += chunk
            if body.count(b": keep-alive") == 2:
                first.set()
            if b"one" in body and body.endswith(b": keep-alive\n\n"):
                second.set()
        assert text(payloads(body)) == "onetwo"


async def test_c01_c07_a_client_that_leaves_before_the_first_byte_closes_the_upstream(
    runner: str, upstream: Upstream
) -> None:
    upstream.script("m", Stall())
    for stream in (False, True):
        async with chat_server(upstream, runner=runner) as (served, gateway):
            with access_lines() as lines:
                async with served.connect() as wire:
                    await wire.send(chat(stream=stream))
                    await upstream.received(1 + stream)
                    wire.writer.write_eof()  # C07: a half-close is a disconnect
                    await upstream.closed(1 + stream)
                record = await lines.next()
            assert (record.end, record.attempts) == ("CH", 1)
            assert gateway.in_flight == 0


async def test_c02_a_client_that_leaves_mid_stream_closes_the_upstream(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream([*chat_stream("one", done=False, finish=None), Stall()]))
    async with chat_server(upstream, runner=runner) as (served, gateway):
        with access_lines() as lines:
            async with served.connect() as wire:
                await wire.send(chat(stream=True))
                await wire.head()
                await first_data(wire)
            await upstream.closed()
            record = await lines.next()
        assert (record.end, record.status) == ("CD", 200)
        assert gateway.in_flight == 0


async def test_c03_a_client_that_leaves_the_queue_was_never_sent_upstream(runner: str, upstream: Upstream) -> None:
    queued = asyncio.Event()

    class Queue(Stage):
        """A slot that never comes."""

        name = "queue"

        @hookimpl
        async def on_request(self, ctx: Context) -> None:
            queued.set()
            await asyncio.Event().wait()

    async with chat_server(upstream, Queue, runner=runner) as (served, _):
        with access_lines() as lines:
            async with served.connect() as wire:
                await wire.send(chat())
                await asyncio.wait_for(queued.wait(), PATIENCE_S)
            assert (await lines.next()).end == "CQ"
        assert upstream.requests == []


async def test_c04_a_client_that_leaves_between_two_attempts_gets_no_further_one(
    runner: str, upstream: Upstream
) -> None:
    waiting = asyncio.Event()

    class Backoff(Stage):
        """Tries again, after a wait."""

        name = "backoff"

        @hookimpl
        async def dispatch(self, ctx: Context, call: Any, call_next: Any) -> Any:  # a Call, a CallNext, a Reply
            try:
                return await call_next(call)
            except UpstreamError:
                waiting.set()
                await asyncio.Event().wait()
                return await call_next(call)

    upstream.script("m", Reply({"error": {"message": "no"}}, 500))
    async with chat_server(upstream, Backoff, runner=runner) as (served, _):
        with access_lines() as lines:
            async with served.connect() as wire:
                await wire.send(chat())
                await asyncio.wait_for(waiting.wait(), PATIENCE_S)
            record = await lines.next()
        assert (record.end, record.attempts) == ("CC", 1)
        assert len(upstream.requests) == 1


async def test_c05_a_reader_that_stalls_aborts_the_upstream(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream(chat_stream(*(["x" * 10_000] * 2000))))
    server = chat_server(upstream, runner=runner, send_timeout_s=0.1)
    async with server as (served, gateway), served.connect(receive_buffer=4096) as wire:
        with access_lines() as lines:
            await wire.send(chat(stream=True))
            await upstream.closed()
            assert (await lines.next()).end == "cD"
        assert gateway.in_flight == 0


async def test_the_deadline_ends_a_stream_with_an_error_event(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream([*chat_stream("one", done=False, finish=None), Stall()]))
    async with chat_server(upstream, runner=runner, request_timeout_s=0.2) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            events = payloads((await wire.ask(chat(stream=True))).body)
            assert events[-1]["error"]["code"] == "upstream_timeout"
            assert (await lines.next()).end == "sD"
        await upstream.closed()


async def test_s02_a_stream_that_outlives_the_drain_ends_with_an_error_event(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream([*chat_stream("one", done=False, finish=None), Stall()]))
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            await wire.send(chat(stream=True))
            await wire.head()
            begun = await first_data(wire)
            served.shutdown.hurry()
            events = payloads(begun + b"".join([chunk async for chunk in wire.chunks()]))
            assert events[-1]["error"]["code"] == "draining"
            assert (await lines.next()).end == "LD"
