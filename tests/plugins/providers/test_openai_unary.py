"""The `openai` provider's unary calls against a scripted upstream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sentinel_core.config import Secret
from sentinel_core.errors import UpstreamError
from tests.plugins.providers.calls import SHORT_S, answer_of, chat_call, drained, openai_at, stream_of, text_of
from tests.upstream import Early, Raw, Reply, Reset, Stall, Stream, Upstream, chat_stream, completion


async def failure(upstream: Upstream, stream: bool = False, **config: Any) -> UpstreamError:
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


async def test_u04_a_reset_before_the_head_is_an_upstream_fault(upstream: Upstream) -> None:
    upstream.script("m", Reset())
    error = await failure(upstream)
    assert (error.code, error.status) == ("upstream_connection_reset", 502)


@pytest.mark.parametrize("stream", [False, True])
async def test_u06_headers_that_never_come_time_out(upstream: Upstream, stream: bool) -> None:
    upstream.script("m", Stall())
    error = await failure(upstream, stream, first_byte_timeout_s=SHORT_S)
    assert (error.code, error.status) == ("upstream_timeout", 504)
    await upstream.closed()


@pytest.mark.parametrize("stream", [False, True])
async def test_u07_a_head_and_then_silence_times_out_before_anything_is_returned(
    upstream: Upstream, stream: bool
) -> None:
    upstream.script("m", Stream([Stall()]))
    error = await failure(upstream, stream, first_byte_timeout_s=SHORT_S)
    assert error.code == "upstream_timeout"
    await upstream.closed()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"choices":[', b"[]", b"null", b"{}", b'{"choices":null}', b'{"choices":[]}', b"\xff{}"],
)
async def test_u12_a_body_that_is_no_completion_is_not_valid(upstream: Upstream, body: bytes) -> None:
    upstream.script("m", Reply(body))
    error = await failure(upstream)
    assert (error.code, error.status) == ("upstream_invalid_response", 502)


async def test_u12_no_content_is_not_valid(upstream: Upstream) -> None:
    upstream.script("m", Reply(b"", 204))
    assert (await failure(upstream)).code == "upstream_invalid_response"


async def test_u12_a_body_that_breaks_off_is_an_upstream_fault(upstream: Upstream) -> None:
    upstream.script("m", Raw([b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"choices":']))
    error = await failure(upstream)
    assert (error.code, error.status) == ("upstream_stream_interrupted", 502)


@pytest.mark.parametrize("stream", [False, True])
async def test_u13_an_error_object_with_status_200_is_an_error(upstream: Upstream, stream: bool) -> None:
    upstream.script("m", Reply({"error": {"message": "The model is busy", "type": "server_error", "code": None}}))
    error = await failure(upstream, stream)
    assert (error.code, error.status, error.message) == ("upstream_error", 502, "The model is busy")
    assert error.verbatim


@pytest.mark.parametrize("stream", [False, True])
async def test_u14_a_web_page_is_not_valid_and_is_not_shown(upstream: Upstream, stream: bool) -> None:
    upstream.script("m", Reply(b"<html>Please log in</html>", content_type="text/html; charset=utf-8"))
    error = await failure(upstream, stream)
    assert (error.code, error.status) == ("upstream_invalid_response", 502)
    assert "log in" not in error.message


async def test_u14_a_web_page_with_an_error_status_is_not_shown_either(upstream: Upstream) -> None:
    upstream.script("m", Reply(b"<html>nginx at 10.1.2.3</html>", 502, content_type="text/html"))
    error = await failure(upstream)
    assert (error.code, error.upstream_status, error.verbatim) == ("upstream_error", 502, False)
    assert "nginx" not in error.message


async def test_u15_a_stream_where_one_answer_was_asked_is_assembled(upstream: Upstream) -> None:
    upstream.script("m", Stream(chat_stream("Hel", "lo", usage=True)))
    async with openai_at(upstream) as provider:
        answer = await answer_of(provider, chat_call())
    assert answer.body["choices"][0]["message"]["content"] == "Hello"
    assert answer.body["choices"][0]["finish_reason"] == "stop"
    assert answer.usage is not None


async def test_u15_one_answer_where_a_stream_was_asked_is_streamed(upstream: Upstream) -> None:
    upstream.script("m", Reply(completion("Hello")))
    async with openai_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert (text_of(events), error) == ("Hello", None)


@pytest.mark.parametrize(
    ("headers", "wait", "retry"),
    [
        ([("Retry-After", "2")], 2.0, True),
        ([("Retry-After", "2.5")], 2.5, True),
        ([("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT")], 0.0, True),
        ([("Retry-After", "7"), ("retry-after-ms", "1500")], 1.5, True),
        ([("Retry-After", "-1")], None, True),
        ([("Retry-After", "99999")], 99999.0, False),
        ([("Retry-After", "soon")], None, True),
        ([], None, True),
    ],
)
async def test_u16_a_rate_limit_names_the_upstreams_wait_and_invents_none(
    upstream: Upstream, headers: list[tuple[str, str]], wait: float | None, retry: bool
) -> None:
    upstream.script("m", Reply({"error": {"message": "slow down"}}, 429, headers))
    error = await failure(upstream)
    assert (error.code, error.status, error.message) == ("rate_limit_exceeded", 429, "slow down")
    assert (error.retry_after_s, error.should_retry) == (wait, retry)


@pytest.mark.parametrize(("status", "code"), [(500, "upstream_error"), (502, "upstream_error"), (503, "overloaded")])
async def test_u17_a_server_error_is_one_of_ours(upstream: Upstream, status: int, code: str) -> None:
    upstream.script("m", Reply({"error": {"message": "boom"}}, status))
    error = await failure(upstream)
    assert (error.code, error.upstream_status, error.should_retry) == (code, status, True)


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_u18_a_callers_fault_keeps_its_status_and_words(upstream: Upstream, status: int) -> None:
    words = "prompt is too long: it exceeds the context window"
    body = {"message": words, "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}
    upstream.script("m", Reply({"error": body}, status))
    error = await failure(upstream)
    assert (error.status, error.message, error.verbatim, error.should_retry) == (status, words, True, False)
    assert (error.wire_code, error.param) == ("context_length_exceeded", "messages")


@pytest.mark.parametrize("status", [401, 403])
async def test_u19_refused_credentials_are_the_gateways_fault_and_are_not_quoted(
    upstream: Upstream, status: int
) -> None:
    upstream.script("m", Reply({"error": {"message": "Incorrect API key provided: sk-own"}}, status))
    error = await failure(upstream)
    assert (error.code, error.status, error.upstream_status) == ("upstream_auth_error", 502, status)
    assert "sk-own" not in str(error)


async def test_u22_an_answer_past_its_cap_is_aborted(upstream: Upstream) -> None:
    upstream.script("m", Reply(completion("x" * 4096)))
    assert (await failure(upstream, max_response_bytes=1024)).code == "upstream_invalid_response"


async def test_u22_an_error_body_past_its_cap_still_has_its_status(upstream: Upstream) -> None:
    upstream.script("m", Reply(b'{"error":"' + b"x" * 100_000 + b'"}', 429))
    assert (await failure(upstream)).code == "rate_limit_exceeded"


async def test_u23_a_redirect_is_an_error(upstream: Upstream) -> None:
    upstream.script("m", Reply(b"", 307, [("Location", "http://127.0.0.1:1/")]))
    assert (await failure(upstream)).code == "upstream_redirect"


async def test_u27_an_answer_before_the_body_was_read_keeps_its_status(upstream: Upstream) -> None:
    upstream.script(None, Early(Reply({"error": {"message": "too large for us"}}, 413)))
    async with openai_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call("x" * (3 << 20)))
    assert (raised.value.status, raised.value.message) == (413, "too large for us")
