"""The `openai` provider's unary calls against a scripted upstream."""

from __future__ import annotations

import json

import pytest

from sentinel_core.config import Secret
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import TomlValue
from tests.plugins.providers.calls import answer_of, chat_call, drained, openai_at, stream_of
from tests.upstream import Reply, Stream, Upstream, completion, sse


async def failure(upstream: Upstream, stream: bool = False, **config: TomlValue) -> UpstreamError:
    async with openai_at(upstream, **config) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call(stream=stream))
    assert "127.0.0.1" not in str(raised.value)
    return raised.value


async def test_sends_the_request_as_it_is_with_the_providers_identity(upstream: Upstream) -> None:
    config = {"api_key": Secret("sk-own", "KEY"), "organization": "org-1", "project": "proj-1"}
    async with openai_at(upstream, **config) as provider:
        answer = await answer_of(provider, chat_call(temperature=0.5, unknown={"kept": [1]}))
    sent = upstream.requests[0]
    assert sent.target == "/v1/chat/completions"
    assert sent.json == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.5,
        "unknown": {"kept": [1]},
    }
    assert sent.header("authorization") == "Bearer sk-own"
    assert (sent.header("openai-organization"), sent.header("openai-project")) == ("org-1", "proj-1")
    assert sent.header("x-client-request-id") == "req-1"
    assert sent.header("content-type") == "application/json"
    assert answer.raw == json.dumps(completion(), separators=(",", ":")).encode()
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5


async def test_sends_no_authorization_without_a_key(upstream: Upstream) -> None:
    async with openai_at(upstream) as provider:
        await answer_of(provider, chat_call())
    assert upstream.requests[0].header("authorization") is None


async def test_calls_one_after_the_other_share_a_connection(upstream: Upstream) -> None:
    async with openai_at(upstream) as provider:
        for _ in range(3):
            await answer_of(provider, chat_call())
            await drained(await stream_of(provider, chat_call(stream=True)))
    assert upstream.connections == 1


async def test_u10_a_byte_order_mark_is_not_handed_on(upstream: Upstream) -> None:
    upstream.script("m", Reply(b"\xef\xbb\xbf" + json.dumps(completion()).encode()))
    async with openai_at(upstream) as provider:
        assert (await answer_of(provider, chat_call())).raw == json.dumps(completion()).encode()


async def test_u10_an_answer_that_is_handed_on_as_it_came_is_json_to_everybody(upstream: Upstream) -> None:
    sent = json.dumps(completion()).encode().replace(b'"content": "', rb'"content": "\ud83d')
    upstream.script("m", Reply(sent))
    async with openai_at(upstream) as provider:
        answer = await answer_of(provider, chat_call())
        assert answer.raw == sent.replace(rb"\ud83d", rb"\ufffd") != sent


@pytest.mark.parametrize("body", [b'{"choices":null}', b'{"choices":[]}', b'{"choices":[{}]}', b'{"choices":{"0":1}}'])
async def test_u12_a_body_without_choices_is_not_valid(upstream: Upstream, body: bytes) -> None:
    upstream.script("m", Reply(body))
    error = await failure(upstream)
    assert (error.code, error.status) == ("upstream_invalid_response", 502)


@pytest.mark.parametrize("stream", [False, True])
async def test_u13_an_error_object_with_status_200_is_an_error(upstream: Upstream, stream: bool) -> None:
    upstream.script("m", Reply({"error": {"message": "The model is busy", "type": "server_error", "code": None}}))
    error = await failure(upstream, stream)
    assert (error.code, error.status, error.message) == ("upstream_error", 502, "The model is busy")
    assert error.verbatim


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [200, 429])
async def test_u13_an_error_in_an_array_is_read_as_if_it_stood_alone(
    upstream: Upstream, stream: bool, status: int
) -> None:
    """Gemini's imitation of this API answers so."""
    wrapped = [{"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}]
    upstream.script("m", Stream([sse(wrapped)]) if stream and status == 200 else Reply(wrapped, status))
    error = await failure(upstream, stream)
    assert (error.code, error.status, error.message) == ("rate_limit_exceeded", 429, "Quota exceeded")


async def test_u18_a_callers_fault_keeps_its_code_and_its_place(upstream: Upstream) -> None:
    body = {
        "message": "too long",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
    upstream.script("m", Reply({"error": body}, 400))
    error = await failure(upstream)
    assert (error.wire_code, error.param) == ("context_length_exceeded", "messages")
