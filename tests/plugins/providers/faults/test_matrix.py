"""The matrix through a whole gateway: what the caller sees of a fault, whether and where it is tried again, and what
the breaker makes of it. The columns are those of docs/reference/resilience.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import msgspec
import pytest

from sentinel_core.json_types import JsonValue, TomlValue
from tests.plugins.providers.faults.behind import (
    HAIR_TRIGGER,
    RETRYING,
    SPARE,
    Verdict,
    asked,
    gateway_at,
    verdict,
)
from tests.plugins.providers.faults.rig import SAID, badly_chunked, began, framed, streamed
from tests.upstream import Close, Drip, Early, Endless, Raw, Redirect, Reply, Reset, Scenario, Stall, Upstream, head
from tests.upstream.apis import Spoken

Play: TypeAlias = Callable[[Spoken], Scenario]


class Row(NamedTuple):
    """A fault, and each column of it: the error, the calls where there is one target, whether another takes over, what
    the breaker counts."""

    play: Play
    code: str
    status: int
    calls: int
    falls_back: bool
    breaker: Verdict
    config: Mapping[str, TomlValue] = {}


def refused(status: int, message: str = "words", fields: tuple[tuple[str, str], ...] = ()) -> Play:
    """An error response of the API's own."""
    return lambda spoken: Reply(spoken.api.error(status, message), status, fields)


def body(content: JsonValue, status: int = 200, kind: str = "application/json") -> Play:
    """A body of ours."""
    return lambda _: Reply(content, status, content_type=kind)


def always(scenario: Scenario) -> Play:
    """The same for every API."""
    return lambda _: scenario


NINE = ("Content-Length", "9")
HASTY = {"first_byte_timeout_s": 0.05}
ENDLESS = Raw([head(200, [("Content-Type", "application/json")]), b'{"x":"', Endless(b"x" * 65536)])
INVALID = ("upstream_invalid_response", 502)
INTERRUPTED = ("upstream_stream_interrupted", 502)
TIMEOUT = ("upstream_timeout", 504)

UNARY = {
    "u04_reset": Row(always(Reset()), "upstream_connection_reset", 502, 3, True, "failure"),
    "u04_fin": Row(always(Close()), "upstream_connection_reset", 502, 3, True, "failure"),
    "u06_silence": Row(always(Stall()), *TIMEOUT, 1, True, "failure", HASTY),
    "u07_head": Row(always(Raw([head(200, [NINE]), Stall()])), *TIMEOUT, 1, True, "failure", HASTY),
    "u09a_chunk": Row(always(badly_chunked(b"{")), *INTERRUPTED, 3, True, "failure"),
    "u12_empty": Row(body(b""), *INVALID, 3, True, "failure"),
    "u12_no_json": Row(body(b"{"), *INVALID, 3, True, "failure"),
    "u12_no_answer": Row(body({}), *INVALID, 3, True, "failure"),
    "u12_cut": Row(always(Raw([head(200, [NINE]), b"{"])), *INTERRUPTED, 3, True, "failure"),
    "u14_page": Row(body(b"<html>", kind="text/html"), *INVALID, 3, True, "failure"),
    "u16_limited": Row(refused(429), "rate_limit_exceeded", 429, 3, True, "neutral"),
    "u16_for_long": Row(
        refused(429, fields=(("Retry-After", "99999"),)), "rate_limit_exceeded", 429, 1, True, "neutral"
    ),
    "u17_500": Row(refused(500), "upstream_error", 502, 3, True, "failure"),
    "u17_502": Row(refused(502), "upstream_error", 502, 3, True, "failure"),
    "u17_503": Row(refused(503), "overloaded", 503, 3, True, "failure"),
    "u17_529": Row(refused(529), "overloaded", 503, 3, True, "failure"),
    "u18_400": Row(refused(400), "invalid_request", 400, 1, False, "neutral"),
    "u18_404": Row(refused(404), "model_not_found", 404, 1, True, "neutral"),
    "u18_413": Row(refused(413), "request_too_large", 413, 1, False, "neutral"),
    "u18_422": Row(refused(422), "invalid_request", 422, 1, False, "neutral"),
    "u19_401": Row(refused(401), "upstream_auth_error", 502, 1, True, "quarantine"),
    "u19_403": Row(refused(403), "upstream_auth_error", 502, 1, True, "quarantine"),
    "u20_402": Row(refused(402), "upstream_quota", 503, 1, True, "quarantine"),
    "u20_400": Row(refused(400, "Your credit balance is too low"), "upstream_quota", 503, 1, True, "quarantine"),
    "u22_endless": Row(always(ENDLESS), *INVALID, 1, True, "failure", {"max_response_bytes": 65536}),
    "u23_redirect": Row(always(Redirect("http://127.0.0.1:9/")), "upstream_redirect", 502, 1, False, "failure"),
    "u24_head": Row(always(Raw([b"SSH-2.0-OpenSSH_9.6\r\n\r\n"])), *INVALID, 3, True, "failure"),
    "u27_early": Row(
        lambda spoken: Early(Reply(spoken.api.error(413, "words"), 413)), "request_too_large", 413, 1, False, "neutral"
    ),
}
STREAMS = {
    "u08_stall": Row(
        lambda spoken: streamed(spoken, began(spoken), [Stall()]),
        *TIMEOUT,
        1,
        False,
        "failure",
        {"idle_timeout_s": 0.05},
    ),
    "u09a_rst": Row(lambda spoken: streamed(spoken, began(spoken), [Reset()]), *INTERRUPTED, 1, False, "failure"),
    "u09a_chunk": Row(
        lambda spoken: badly_chunked(b"".join(began(spoken)), spoken.api.content_type),
        *INTERRUPTED,
        1,
        False,
        "failure",
    ),
    "u09b_eof": Row(lambda spoken: streamed(spoken, began(spoken)), *INTERRUPTED, 1, False, "failure"),
    "u11_no_json": Row(
        lambda spoken: streamed(spoken, began(spoken), [framed(spoken, b"oops")]), *INVALID, 1, False, "failure"
    ),
    "u21_drip": Row(
        lambda spoken: streamed(spoken, began(spoken), [Drip(b"\n", 0.01, forever=True)], eof=True),
        *TIMEOUT,
        1,
        False,
        "failure",
        {"total_timeout_s": 0.25},
    ),
    "u22_endless": Row(
        lambda spoken: streamed(spoken, began(spoken), [Endless(b"x" * 65536)], eof=True), *INVALID, 1, False, "failure"
    ),
}
rows = pytest.mark.parametrize("row", UNARY.values(), ids=UNARY)
streams = pytest.mark.parametrize("row", STREAMS.values(), ids=STREAMS)


@rows
async def test_what_a_caller_sees_where_there_is_one_target(spoken: Spoken, upstream: Upstream, row: Row) -> None:
    upstream.script(None, row.play(spoken))
    async with gateway_at(spoken, upstream.root, retry=RETRYING, **row.config) as gateway:
        answer = await asked(gateway)
    assert (answer.status, len(upstream.requests)) == (row.status, row.calls)
    if row.status >= 429:  # below, the code is the upstream's own
        assert answer.code == row.code
    if row.calls > 1:
        assert answer.headers["x-should-retry"] == "false", "only one layer retries"
    if row.status == 429:
        assert "retry-after" not in answer.headers, "nobody named a wait, or one that is too long to be told"


@rows
async def test_which_faults_another_target_makes_good_and_what_the_breaker_counts(
    spoken: Spoken, upstream: Upstream, row: Row
) -> None:
    upstream.script(None, row.play(spoken))
    async with Upstream() as spare:
        spare.script(None, Reply(spoken.api.answer(SPARE)))
        async with gateway_at(spoken, upstream.root, spare.root, breaker=HAIR_TRIGGER, **row.config) as gateway:
            answer = await asked(gateway)
            assert (answer.status, verdict(gateway)) == (200 if row.falls_back else row.status, row.breaker)
        assert (len(upstream.requests), len(spare.requests)) == (1, 1 if row.falls_back else 0)
        assert row.falls_back == (SPARE.text in answer.body.decode())


@streams
async def test_nothing_is_tried_again_once_the_caller_has_a_byte(spoken: Spoken, upstream: Upstream, row: Row) -> None:
    upstream.script(None, row.play(spoken))
    async with Upstream() as spare:
        stages = {"retry": RETRYING, "breaker": HAIR_TRIGGER}
        async with gateway_at(spoken, upstream.root, spare.root, **stages, **row.config) as gateway:
            answer = await asked(gateway, stream=True)
            assert verdict(gateway) == row.breaker
        assert (len(upstream.requests), spare.connections) == (1, 0)
    *told, last = [msgspec.json.decode(event.removeprefix(b"data: ")) for event in answer.body.split(b"\n\n") if event]
    assert answer.status == 200
    assert last["error"]["code"] == row.code
    assert "".join(choice["delta"].get("content") or "" for event in told for choice in event["choices"]) == SAID.text
    assert all(choice["finish_reason"] is None for event in told for choice in event["choices"])
