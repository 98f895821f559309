"""U12 to U15: answers that are none, errors in disguise, web pages, and the form that nobody asked for."""

from __future__ import annotations

import json

import pytest

from sentinel_core.dialects.base import Dialect
from tests.plugins.providers.faults.rig import CALLING, SAID, began, calls_of, error_of, framed, heard_of, streamed
from tests.plugins.providers.spoken import KEY
from tests.upstream import Raw, Reply, Upstream, head
from tests.upstream.api import Said
from tests.upstream.apis import Spoken

NO_ANSWERS = {
    "empty": b"",
    "not closed": b"{",
    "list": b"[]",
    "null": b"null",
    "text": b'"hello"',
    "nothing in it": b"{}",
    "something else": b'{"id":"1","object":"list"}',
    "invalid utf-8": b'{"id":"\xff"}',
    "nul": b'{"id":"\x00"}',
}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_u12_a_body_that_is_no_answer(spoken: Spoken, upstream: Upstream, body: bytes) -> None:
    upstream.script(None, Reply(body))
    error = await error_of(spoken, upstream)
    assert (error.code, error.status, error.should_retry) == ("upstream_invalid_response", 502, True)


async def test_u12_an_answer_without_its_second_half(spoken: Spoken, upstream: Upstream) -> None:
    whole = json.dumps(spoken.api.answer(SAID)).encode()
    upstream.script(None, Reply(whole[: len(whole) // 2]))
    assert (await error_of(spoken, upstream)).code == "upstream_invalid_response"


async def test_u10_half_of_a_surrogate_pair_is_one_character_less(
    spoken: Spoken, upstream: Upstream, stream: bool, client: Dialect
) -> None:
    whole = spoken.api.stream(SAID).whole if stream else [json.dumps(spoken.api.answer(SAID)).encode()]
    sent = [part.replace(rb"\u00f6", rb"\ud83d").replace("ö".encode(), rb"\ud83d") for part in whole]
    upstream.script(None, streamed(spoken, sent) if stream else Reply(sent[0]))
    heard = await heard_of(spoken, upstream, stream, client)
    assert (heard.error, heard.text) == (None, SAID.text.replace("ö", "\ufffd"))


async def test_u10_a_byte_order_mark_is_no_part_of_a_body(spoken: Spoken, upstream: Upstream, client: Dialect) -> None:
    upstream.script(None, Reply(b"\xef\xbb\xbf" + json.dumps(spoken.api.answer(SAID)).encode()))
    heard = await heard_of(spoken, upstream, False, client)
    assert (heard.error, heard.text) == (None, SAID.text)


async def test_u12_no_content(spoken: Spoken, upstream: Upstream, stream: bool) -> None:
    upstream.script(None, Reply(b"", 204))
    error = await error_of(spoken, upstream, stream)
    assert error.status == 502
    assert error.code in ("upstream_invalid_response", "upstream_stream_interrupted")


async def test_u12_a_body_shorter_than_its_length(spoken: Spoken, upstream: Upstream) -> None:
    whole = json.dumps(spoken.api.answer(SAID)).encode()
    fields = [("Content-Type", "application/json"), ("Content-Length", str(len(whole) + 1))]
    upstream.script(None, Raw([head(200, fields) + whole]))
    error = await error_of(spoken, upstream)
    assert (error.code, error.status) == ("upstream_stream_interrupted", 502)


async def test_u13_an_error_with_status_200(spoken: Spoken, upstream: Upstream, stream: bool, client: Dialect) -> None:
    upstream.script(None, Reply(spoken.api.error(500, "the model is busy")))
    error = await error_of(spoken, upstream, stream, client)
    assert error.code in ("upstream_error", "overloaded", "upstream_invalid_response")
    assert error.status in (502, 503)


async def test_u13_an_error_as_the_first_event(spoken: Spoken, upstream: Upstream, client: Dialect) -> None:
    opening = spoken.api.stream(SAID).opening
    upstream.script(None, streamed(spoken, opening, [spoken.api.midstream_error("the model is busy")]))
    error = await error_of(spoken, upstream, True, client)
    assert (error.message, error.verbatim) == ("the model is busy", True)
    assert error.status in (502, 503)


async def test_u13_an_error_in_the_middle(spoken: Spoken, upstream: Upstream, client: Dialect) -> None:
    upstream.script(None, streamed(spoken, began(spoken), [spoken.api.midstream_error("gone")]))
    heard = await heard_of(spoken, upstream, True, client)
    assert (heard.text, heard.finishes) == (SAID.text, [])
    assert heard.error is not None
    assert (heard.error.message, heard.error.verbatim) == ("gone", True)


async def test_an_error_in_the_middle_tells_neither_key_nor_address(
    spoken: Spoken, upstream: Upstream, client: Dialect
) -> None:
    told = spoken.api.midstream_error(f"boom with {KEY} at {upstream.root}/x")
    upstream.script(None, streamed(spoken, began(spoken), [told]))
    heard = await heard_of(spoken, upstream, True, client)
    assert heard.error is not None
    assert heard.error.message == "boom with [secret] at [address]/x"


@pytest.mark.parametrize("status", [200, 502])
async def test_u14_a_web_page(spoken: Spoken, upstream: Upstream, stream: bool, status: int) -> None:
    page = b"<html>nginx at 10.1.2.3: please log in</html>"
    upstream.script(None, Reply(page, status, content_type="text/html; charset=utf-8"))
    error = await error_of(spoken, upstream, stream)
    assert (error.code, error.status) == ("upstream_invalid_response" if status == 200 else "upstream_error", 502)
    assert not error.verbatim
    assert "nginx" not in error.message


@pytest.mark.parametrize("said", [SAID, CALLING], ids=["text", "calls"])
async def test_u15_an_answer_where_a_stream_was_asked_for(
    spoken: Spoken, upstream: Upstream, client: Dialect, said: Said
) -> None:
    upstream.script(None, Reply(spoken.api.answer(said)))
    heard = await heard_of(spoken, upstream, True, client)
    assert (heard.error, heard.text, heard.finishes) == (None, said.text, [said.finish])
    assert heard.called(client) == calls_of(said)


@pytest.mark.parametrize("said", [SAID, CALLING], ids=["text", "calls"])
async def test_u15_a_stream_where_an_answer_was_asked_for(
    spoken: Spoken, upstream: Upstream, client: Dialect, said: Said
) -> None:
    upstream.script(None, streamed(spoken, spoken.api.stream(said).whole))
    heard = await heard_of(spoken, upstream, False, client)
    assert (heard.error, heard.text, heard.finishes) == (None, said.text, [said.finish])
    assert heard.called(client) == calls_of(said)


async def test_u15_a_stream_that_breaks_is_no_answer(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, streamed(spoken, began(spoken)))
    assert (await error_of(spoken, upstream)).code == "upstream_stream_interrupted"


async def test_u15_what_is_neither(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, Reply(b"plain words", content_type="text/plain"))
    assert (await error_of(spoken, upstream)).code == "upstream_invalid_response"
    upstream.script(None, streamed(spoken, [framed(spoken, b'"words"')]))
    assert (await error_of(spoken, upstream, stream=True)).code == "upstream_invalid_response"
