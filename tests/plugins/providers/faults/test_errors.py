"""U16 to U20 and U27: what an upstream's refusal means to the caller, whoever's fault it was."""

from __future__ import annotations

import email.utils
import time

import pytest

from tests.plugins.providers.faults.rig import call_of, error_of, hear
from tests.plugins.providers.spoken import KEY, provider_at
from tests.upstream import Early, Reply, Upstream
from tests.upstream.apis import Spoken

Fields = list[tuple[str, str]]


@pytest.mark.parametrize(
    ("fields", "wait", "retry"),
    [
        pytest.param([("Retry-After", "2")], 2.0, True, id="seconds"),
        pytest.param([("Retry-After", "2.5")], 2.5, True, id="fraction"),
        pytest.param([("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT")], 0.0, True, id="date in the past"),
        pytest.param([("Retry-After", "7"), ("retry-after-ms", "1500")], 1.5, True, id="milliseconds"),
        pytest.param([("Retry-After", "-1")], None, True, id="negative"),
        pytest.param([("Retry-After", "99999")], 99999.0, False, id="too long"),
        pytest.param([("Retry-After", "soon")], None, True, id="garbage"),
        pytest.param([], None, True, id="absent"),
    ],
)
async def test_u16_a_rate_limit_names_the_upstreams_wait_and_invents_none(
    spoken: Spoken, upstream: Upstream, fields: Fields, wait: float | None, retry: bool
) -> None:
    upstream.script(None, Reply(spoken.api.error(429, "slow down"), 429, fields))
    error = await error_of(spoken, upstream)
    assert (error.code, error.status, error.message) == ("rate_limit_exceeded", 429, "slow down")
    assert (error.retry_after_s, error.should_retry) == (wait, retry)


async def test_u16_a_date_is_a_wait(spoken: Spoken, upstream: Upstream, stream: bool) -> None:
    until = email.utils.formatdate(time.time() + 30, usegmt=True)
    upstream.script(None, Reply(spoken.api.error(429, "slow down"), 429, [("Retry-After", until)]))
    error = await error_of(spoken, upstream, stream)
    assert error.retry_after_s is not None
    assert 25 < error.retry_after_s <= 30


@pytest.mark.parametrize("status", [500, 502, 503, 529])
async def test_u17_a_server_error_is_one_of_ours(spoken: Spoken, upstream: Upstream, stream: bool, status: int) -> None:
    upstream.script(None, Reply(spoken.api.error(status, "boom"), status))
    error = await error_of(spoken, upstream, stream)
    expected = ("upstream_error", 502) if status < 503 else ("overloaded", 503)
    assert (error.code, error.status, error.upstream_status) == (*expected, status)
    assert error.should_retry


@pytest.mark.parametrize("words", ["prompt is too long: 3 tokens > 2", "this exceeds the context window of the model"])
@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_u18_a_callers_fault_keeps_its_status_and_its_words(
    spoken: Spoken, upstream: Upstream, status: int, words: str
) -> None:
    upstream.script(None, Reply(spoken.api.error(status, words), status))
    error = await error_of(spoken, upstream)
    assert (error.status, error.message, error.verbatim, error.should_retry) == (status, words, True, False)


@pytest.mark.parametrize("status", [405, 409, 410, 415, 424, 425, 431, 451])
async def test_u18_any_other_4xx_is_not_to_be_repeated_unless_it_came_too_early(
    spoken: Spoken, upstream: Upstream, status: int
) -> None:
    upstream.script(None, Reply(spoken.api.error(status, "words"), status))
    error = await error_of(spoken, upstream)
    assert (error.code, error.status, error.upstream_status) == ("upstream_error", 502, status)
    assert error.should_retry is (status == 425)


@pytest.mark.parametrize("status", [401, 403])
async def test_u19_our_own_key_was_refused(spoken: Spoken, upstream: Upstream, stream: bool, status: int) -> None:
    upstream.script(None, Reply(spoken.api.error(status, f"Incorrect API key provided: {KEY}"), status))
    error = await error_of(spoken, upstream, stream)
    assert (error.code, error.status, error.upstream_status) == ("upstream_auth_error", 502, status)
    assert (error.should_retry, error.verbatim) == (False, False)


@pytest.mark.parametrize("status", [402, 400])
async def test_u20_our_own_account_is_empty(spoken: Spoken, upstream: Upstream, status: int) -> None:
    upstream.script(None, Reply(spoken.api.error(status, "Your credit balance is too low"), status))
    error = await error_of(spoken, upstream)
    assert (error.code, error.status, error.wire_code) == ("overloaded", 503, "upstream_quota")
    assert (error.should_retry, error.verbatim) == (False, False)


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_the_key_and_the_address_are_struck_from_an_upstreams_words(
    spoken: Spoken, upstream: Upstream, stream: bool, status: int
) -> None:
    upstream.script(None, Reply(spoken.api.error(status, f"boom with {KEY} at {upstream.root}/x"), status))
    error = await error_of(spoken, upstream, stream)
    assert error.message == "boom with [secret] at [address]/x"


@pytest.mark.parametrize("status", [413, 400])
async def test_u27_an_answer_before_our_body_was_read(spoken: Spoken, upstream: Upstream, status: int) -> None:
    upstream.script(None, Early(Reply(spoken.api.error(status, "too large for us"), status)))
    text = [{"role": "user", "content": "x" * (3 << 20)}]
    async with provider_at(spoken, upstream.root) as provider:
        heard = await hear(provider, call_of(messages=text))
    assert heard.error is not None
    assert (heard.error.status, heard.error.message) == (status, "too large for us")
