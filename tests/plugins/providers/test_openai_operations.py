"""The `openai` provider's other operations: the path of each, lossless both ways, and the faults of its answers."""

from __future__ import annotations

import json

import pytest

from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.keys import Target
from tests.plugins.providers.calls import Nobody, answer_of, drained, openai_at, stream_of, text_of
from tests.upstream import DONE, Close, Reply, Stream, Upstream, sse
from tests.upstream.payloads import embeddings, response_stream, text_chunk, text_completion, text_stream


def call(dialect: Dialect, **fields: JsonValue) -> Call:
    request = dialect.decode_request({"model": "m", **fields})
    return Call(request, Target("upstream", "m"), Nobody(), attempt=1, request_id="req-1")


def completion_call(**fields: JsonValue) -> Call:
    return call(OPENAI_COMPLETIONS, prompt="hi", **fields)


async def failure(upstream: Upstream, asked: Call) -> UpstreamError:
    async with openai_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(asked)
    return raised.value


async def test_s1_03_a_completion_is_sent_to_its_own_path_and_comes_back_as_it_is(upstream: Upstream) -> None:
    upstream.script("m", Reply(text_completion("there", x_kept=[1])))
    async with openai_at(upstream) as provider:
        answer = await answer_of(provider, completion_call(best_of=2, unknown={"kept": [1]}))
    sent = upstream.requests[0]
    assert sent.target == "/v1/completions"
    assert sent.json == {"model": "m", "prompt": "hi", "best_of": 2, "unknown": {"kept": [1]}}
    assert answer.raw == json.dumps(text_completion("there", x_kept=[1]), separators=(",", ":")).encode()


async def test_s1_08_a_completion_is_streamed_with_its_usage(upstream: Upstream) -> None:
    upstream.script("m", Stream(text_stream("one ", "two", usage=True)))
    async with openai_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, completion_call(stream=True)))
    assert (text_of(events), error) == ("one two", None)
    assert upstream.requests[0].json["stream_options"] == {"include_usage": True}


async def test_embeddings_are_sent_to_their_own_path_and_come_back_as_they_are(upstream: Upstream) -> None:
    upstream.script("m", Reply(embeddings("AACAPw==")))
    async with openai_at(upstream) as provider:
        asked = call(OPENAI_EMBEDDINGS, input=[[1, 2]], encoding_format="base64", dimensions=1)
        answer = await answer_of(provider, asked)
    sent = upstream.requests[0]
    assert sent.target == "/v1/embeddings"
    assert sent.json == {"model": "m", "input": [[1, 2]], "encoding_format": "base64", "dimensions": 1}
    assert answer.raw == json.dumps(embeddings("AACAPw=="), separators=(",", ":")).encode()


async def test_a_response_is_sent_to_its_own_path_and_streamed(upstream: Upstream) -> None:
    upstream.script("m", Stream(response_stream("one ", "two")))
    async with openai_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, call(OPENAI_RESPONSES, input="x", stream=True)))
    assert (text_of(events), error) == ("one two", None)
    assert (upstream.requests[0].target, upstream.requests[0].json) == (
        "/v1/responses",
        {"model": "m", "input": "x", "stream": True},
    )


async def test_u09b_a_clean_end_of_a_response_stream_before_its_last_event_is_an_error(upstream: Upstream) -> None:
    upstream.script("m", Stream(response_stream("one ", end=False)))
    async with openai_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, call(OPENAI_RESPONSES, input="x", stream=True)))
    assert text_of(events) == "one "
    assert error is not None
    assert error.code == "upstream_stream_interrupted"


QUIET: list[JsonValue] = [
    {"type": "keepalive", "sequence_number": 1},  # openai/openai-node#1964
    {"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws_1", "sequence_number": 1},
    {"type": "response.new", "sequence_number": 1, "output_index": 0},
]


@pytest.mark.parametrize("quiet", QUIET)
async def test_an_event_that_says_nothing_does_not_commit_to_a_response(upstream: Upstream, quiet: JsonValue) -> None:
    failed = {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "boom"}}}
    opening = response_stream()[:1]
    upstream.script("m", Stream([*opening, sse(quiet), sse(failed)]))
    assert (await failure(upstream, call(OPENAI_RESPONSES, input="x", stream=True))).message == "boom"
    upstream.script("m", Stream([*opening, sse(quiet), *response_stream("one")[1:]]))
    async with openai_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, call(OPENAI_RESPONSES, input="x", stream=True)))
    assert (text_of(events), error) == ("one", None)


async def test_u09a_a_completion_stream_that_is_cut_off_is_an_error_after_what_came(upstream: Upstream) -> None:
    upstream.script("m", Stream([*text_stream("one ", finish=None, done=False), Close()]))
    async with openai_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, completion_call(stream=True)))
    assert text_of(events) == "one "
    assert error is not None
    assert error.code in ("upstream_stream_interrupted", "upstream_connection_reset")


async def test_u09b_a_clean_end_of_a_completion_stream_without_a_finish_reason_is_an_error(upstream: Upstream) -> None:
    upstream.script("m", Stream(text_stream("one ", finish=None, done=False)))
    async with openai_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, completion_call(stream=True)))
    assert text_of(events) == "one "
    assert error is not None
    assert error.code == "upstream_stream_interrupted"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", {"choices": []}, {"data": []}, b"{"])
@pytest.mark.parametrize(
    "asked",
    [completion_call(), call(OPENAI_EMBEDDINGS, input="x"), call(OPENAI_RESPONSES, input="x")],
    ids=["completion", "embedding", "response"],
)
async def test_u12_an_answer_that_is_none_is_an_invalid_response(
    upstream: Upstream, asked: Call, body: JsonValue
) -> None:
    upstream.script("m", Reply(body))
    assert (await failure(upstream, asked)).code == "upstream_invalid_response"


async def test_u12_embeddings_that_are_streamed_are_an_invalid_response(upstream: Upstream) -> None:
    upstream.script("m", Stream([sse(embeddings([1.0])), DONE]))
    error = await failure(upstream, call(OPENAI_EMBEDDINGS, input="x"))
    assert error.code == "upstream_invalid_response"


@pytest.mark.parametrize(
    "asked",
    [
        completion_call(),
        completion_call(stream=True),
        call(OPENAI_EMBEDDINGS, input="x"),
        call(OPENAI_RESPONSES, input="x", stream=True),
    ],
    ids=["completion", "stream", "embedding", "response stream"],
)
async def test_u13_an_error_with_status_200_is_an_error(upstream: Upstream, asked: Call) -> None:
    upstream.script("m", Reply({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}))
    error = await failure(upstream, asked)
    assert (error.code, error.status) == ("rate_limit_exceeded", 429)


async def test_u15_a_stream_that_nobody_asked_for_becomes_an_answer_and_the_other_way_round(upstream: Upstream) -> None:
    upstream.script("m", Stream([sse(text_chunk("one ")), sse(text_chunk("two", finish="stop")), DONE]))
    async with openai_at(upstream) as provider:
        answer = await answer_of(provider, completion_call())
        upstream.script("m", Reply(text_completion("one two")))
        events, error = await drained(await stream_of(provider, completion_call(stream=True)))
    assert answer.body["choices"][0]["text"] == "one two"
    assert (text_of(events), error) == ("one two", None)
