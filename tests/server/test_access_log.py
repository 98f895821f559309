"""The access log and its termination codes: reliability 0.14, H32, H34."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from sentinel_core.attempt import NOT_CALLED, Attempt
from sentinel_core.config import ServerSettings
from sentinel_core.errors import Refusal, SentinelError, UpstreamError
from sentinel_core.keys import Target
from sentinel_core.testing import context
from sentinel_server.access_log import MAX_FIELD_CHARS, AccessRecord, field, timestamp
from sentinel_server.edge import Transaction, Watch
from sentinel_server.edge.record import write_record
from sentinel_server.logs import JsonFormatter
from sentinel_server.termination import Cause, termination
from tests.pace import PATIENCE_S
from tests.server.edge_fixture import Life, access_lines, edge
from tests.server.serving import RUNNERS
from tests.server.wire import request


async def nowhere(_: object) -> None:
    """ASGI's send, to nobody."""


@given(path=st.binary(), method=st.text(), given_id=st.binary())
def test_h34_any_input_makes_one_valid_printable_json_line(path: bytes, method: str, given_id: bytes) -> None:
    with access_lines() as lines:
        tx = Transaction({"type": "http", "method": method, "path": "/", "raw_path": path}, nowhere, Life())
        tx.adopt_id(given_id)
        write_record(tx)
        line = str(lines.records.get_nowait())
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["id"]


@given(st.text(st.characters()))
def test_h34_any_log_message_is_one_line_and_comes_back_whole(text: str) -> None:
    record = logging.LogRecord("sentinel.server", logging.WARNING, "", 0, text, None, None)
    line = JsonFormatter().format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == text


def test_an_exception_is_part_of_its_line() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    parsed = json.loads(JsonFormatter().format(record))
    assert parsed["level"] == "error"
    assert "ValueError: why" in parsed["exception"]
    assert parsed["pid"] == os.getpid()


def test_long_fields_are_cut() -> None:
    assert len(field("x" * 10_000)) == MAX_FIELD_CHARS + 3


def test_a_timestamp_is_iso_8601_in_utc() -> None:
    assert timestamp(0.5) == "1970-01-01T00:00:00.500Z"


async def test_a_request_leaves_one_record_without_its_query_or_headers() -> None:
    async with edge() as (served, _), served.connect() as wire:
        with access_lines() as lines:
            data = request("/a?key=secret", method="POST", headers=("Authorization: Bearer secret",), body=b"{}")
            answer = await wire.ask(data)
            record = await lines.next()
    assert isinstance(record, AccessRecord)
    assert (record.method, record.path, record.status, record.end) == ("POST", "/a", 200, "--")
    assert (record.bytes_in, record.bytes_out) == (2, len(answer.body))
    assert record.id == answer.headers["x-request-id"]
    assert record.duration_ms > 0
    assert "secret" not in str(record)


async def test_a_head_has_no_body_that_was_sent() -> None:
    async with edge() as (served, _), served.connect() as wire:
        with access_lines() as lines:
            await wire.send(request(method="HEAD"))
            assert int((await wire.head()).headers["content-length"]) > 0
            assert (await lines.next()).bytes_out == 0


@pytest.mark.parametrize("runner", RUNNERS)
async def test_a_client_that_left_before_a_status_was_sent_is_499(runner: str) -> None:
    asked = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        tx = Transaction.of(scope)
        async with Watch(tx, receive, ServerSettings()) as watch:
            tx.body_read = True
            watch.body_arrived()
            asked.set()
            await asyncio.Event().wait()

    async with edge(runner, app=waiting) as (served, _):
        with access_lines() as lines:
            async with served.connect() as wire:
                await wire.send(request())
                await asyncio.wait_for(asked.wait(), PATIENCE_S)
            record = await lines.next()
    assert (record.status, record.end) == (499, "CQ")


async def test_0_14_a_path_with_line_breaks_and_escapes_forges_nothing() -> None:
    async with edge() as (served, _), served.connect() as wire:
        with access_lines() as lines:
            await wire.ask(request("/%0d%0a10.9.9.9%1b[2J"))
            assert (await lines.next()).path == "/%0d%0a10.9.9.9%1b[2J"


async def test_a_call_that_was_never_made_is_no_attempt() -> None:
    with access_lines() as lines:
        tx = Transaction({"type": "http", "path": "/"}, nowhere, Life())
        tx.error, tx.ctx = Refusal("ledger_unavailable"), context("hi")
        tx.ctx.attempts.append(Attempt(1, Target("p", "m"), 1.0, "discarded", NOT_CALLED, 2.0))
        write_record(tx)
        record = await lines.next()
        assert (record.attempts, record.provider, record.end) == (0, None, "IR")
        tx.error, tx.cause, tx.body_read = None, "client", True
        write_record(tx)
        assert (await lines.next()).end == "CQ"


async def test_of_two_calls_beside_each_other_it_names_the_one_whose_reply_broke_off() -> None:
    with access_lines() as lines:
        tx = Transaction({"type": "http", "path": "/"}, nowhere, Life())
        tx.error, tx.ctx = UpstreamError("upstream_stream_interrupted"), context("hi")
        broken = Attempt(1, Target("taken", "m"), 1.0, "failed", "upstream_stream_interrupted", 9.0, taken=True)
        tx.ctx.attempts += [broken, Attempt(2, Target("rival", "m"), 2.0, "discarded", None, 3.0)]
        write_record(tx)
        record = await lines.next()
    assert (record.attempts, record.provider) == (2, "taken")


def attempt(*, ended: float | None = None, failed: bool = False) -> Attempt:
    """One attempt that began at 1."""
    return Attempt(1, Target("p", "m"), 1.0, "failed" if failed else None, None, ended)


@pytest.mark.parametrize(
    ("code", "error", "attempts", "cause", "body_read", "answering"),
    [
        ("--", None, [attempt(ended=2)], None, True, True),
        ("--", UpstreamError("invalid_request"), [attempt()], None, True, False),
        ("CB", Refusal("incomplete_body"), [], "client", False, False),
        ("cB", Refusal("request_timeout"), [], "body", False, False),
        ("CQ", None, [], "client", True, False),
        ("CC", None, [attempt(ended=2, failed=True)], "client", True, False),
        ("CH", None, [attempt()], "client", True, False),
        ("CH", None, [attempt(ended=9, failed=True)], "client", True, False),
        ("CH", None, [attempt(), attempt(ended=2, failed=True)], "client", True, False),
        ("CD", None, [attempt()], "client", True, True),
        ("cD", None, [attempt()], "stalled", True, True),
        ("SC", UpstreamError("upstream_unreachable"), [attempt()], None, True, False),
        ("SC", UpstreamError("circuit_open", attempted=False), [], None, True, False),
        ("SH", UpstreamError("upstream_connection_reset"), [attempt()], None, True, False),
        ("SD", UpstreamError("upstream_stream_interrupted"), [attempt()], None, True, True),
        ("sH", UpstreamError("upstream_timeout"), [attempt()], "deadline", True, False),
        ("sD", UpstreamError("upstream_timeout"), [attempt()], None, True, True),
        ("PR", Refusal("not_found"), [], None, False, False),
        ("PH", Refusal("content_policy_violation"), [attempt()], None, True, False),
        ("PD", Refusal("content_policy_violation"), [attempt()], None, True, True),
        ("IR", SentinelError("internal_error"), [], None, True, False),
        ("LR", Refusal("draining"), [], None, False, False),
        ("LD", Refusal("draining"), [attempt()], None, True, True),
    ],
)
def test_the_termination_code_tells_who_ended_it_and_how_far_it_had_come(
    code: str,
    error: SentinelError | None,
    attempts: list[Attempt],
    cause: Cause | None,
    body_read: bool,
    answering: bool,
) -> None:
    assert termination(error, attempts, cause=cause, at=5.0, body_read=body_read, answering=answering) == code
