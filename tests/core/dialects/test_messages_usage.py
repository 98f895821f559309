"""Which counts of a message are the provider's last word."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import pytest

from sentinel_core.attempt import Attempt
from sentinel_core.chain.account import Account
from sentinel_core.chain.transcript import Meter
from sentinel_core.costs import Provisional, priced
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_COUNTING, ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import translated_answer, translated_events
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, UsageReport
from sentinel_core.json_types import JsonValue
from sentinel_core.keys import Target
from sentinel_core.prices import Prices
from sentinel_core.testing import context
from sentinel_core.tokens import RoughTokens
from sentinel_core.usage import Usage
from tests.core.dialects.messages_client import events_of
from tests.upstream.anthropic import ending, message, named, opening, text_block

STOP = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}
MOST = 1 << 53


def counted(*parts: bytes) -> Usage:
    return [event.usage for event in events_of(*parts) if isinstance(event, UsageReport)][-1]


@pytest.mark.parametrize(
    "end",
    [
        STOP,
        {**STOP, "usage": None},
        {**STOP, "usage": {}},
        {**STOP, "usage": {"input_tokens": 3}},
        {**STOP, "usage": {"output_tokens": -1}},
        {**STOP, "usage": {"output_tokens": "2"}},
        {**STOP, "usage": {"output_tokens": 1.5}},
        {**STOP, "usage": {"output_tokens": MOST + 1}},
    ],
    ids=repr,
)
def test_u26_without_closing_counts_that_make_sense_those_of_the_beginning_are_not_the_last_word(
    end: JsonValue,
) -> None:
    events = events_of(opening(), *text_block(0, "a"), named(end))
    reports = [event.usage for event in events if isinstance(event, UsageReport)]
    assert isinstance(reports[-1], Provisional)
    assert reports[-1].prompt_tokens == 3
    assembled = ANTHROPIC_MESSAGES.assemble(events)
    assert assembled.usage is None
    assert assembled.body["usage"] == {"input_tokens": 3}


def test_counts_from_the_beginning_stand_for_a_stream_that_broke_off_and_for_no_other() -> None:
    account = Account(context(), ())
    account.produced = Meter()
    account.produced.usage = Provisional(3, 1, 4)
    assert account.counted == account.usage == Provisional(3, 1, 4)
    account.produced.ended = True
    assert account.counted is None
    account.produced.usage = Usage(3, 1, 4)
    assert account.counted == account.usage == Usage(3, 1, 4)


async def test_u26_a_stream_without_closing_counts_keeps_its_prompt_and_its_answer_is_estimated() -> None:
    ctx = context()
    row = Attempt(1, Target("anthropic", "m"), 0.0, "completed", usage=Provisional(3, 1, 4), taken=True)
    ctx.attempts.append(row)
    said = "A sentence of some words, said again and again. " * 20
    sent = ANTHROPIC_MESSAGES.assemble(events_of(opening(), *text_block(0, said), named(STOP)))
    (cost,) = await priced(ctx, sent, Prices(), RoughTokens())
    assert cost.usage.prompt_tokens == 3
    assert cost.usage.completion_tokens > 100
    assert cost.provenance == "estimated"


@pytest.mark.parametrize("tokens", [0, 1, 7, MOST])
def test_closing_counts_are_the_last_word(tokens: int) -> None:
    parts = [opening(), *text_block(0, "a"), *ending(output_tokens=tokens)]
    assert counted(*parts) == Usage(3, tokens, 3 + tokens)
    assert type(counted(*parts)) is Usage
    assert ANTHROPIC_MESSAGES.assemble(events_of(*parts)).usage == Usage(3, tokens, 3 + tokens)


def test_a_later_end_without_counts_leaves_those_of_an_earlier_one() -> None:
    parts = [opening(), named({**STOP, "usage": {"output_tokens": 7}}), named(STOP)]
    assert counted(*parts) == Usage(3, 7, 10)


@pytest.mark.parametrize(
    ("creation", "longer"),
    [
        ({"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3}, 3),
        ({"ephemeral_1h_input_tokens": 9}, 5),
        ({"ephemeral_1h_input_tokens": -1}, 0),
        ({"ephemeral_1h_input_tokens": None}, 0),
        ({}, 0),
        (None, 0),
        ([1], 0),
    ],
    ids=repr,
)
async def test_what_was_written_into_the_cache_for_an_hour_is_counted_whatever_dialect_the_client_speaks(
    creation: JsonValue, longer: int
) -> None:
    usage = {"cache_creation_input_tokens": 5, "cache_creation": creation}
    expected = Usage(8, 7, 15, 0, 0, 5, longer)
    whole = json.dumps(message("a", usage={"input_tokens": 3, "output_tokens": 7, **usage})).encode()
    events = events_of(opening(**usage), *text_block(0, "a"), *ending(output_tokens=7), whole=True)
    assert ANTHROPIC_MESSAGES.assemble(events).usage == expected
    for dialect in (ANTHROPIC_MESSAGES, OPENAI_CHAT):
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "stream": True}
        asked = dialect.decode_request(body)
        assert translated_answer(ANTHROPIC_MESSAGES.decode_answer(whole), asked).usage == expected
        came = translated_events(each(events), ANTHROPIC_MESSAGES, asked)
        assert [event.usage async for event in came if isinstance(event, UsageReport)][-1] == expected


async def each(events: Sequence[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event


async def test_an_estimate_keeps_what_the_beginning_said_was_written_for_an_hour() -> None:
    ctx = context()
    begun = Provisional(8, 1, 9, 0, 0, 5, 4)
    ctx.attempts.append(Attempt(1, Target("anthropic", "m"), 0.0, "completed", usage=begun, taken=True))
    sent = ANTHROPIC_MESSAGES.assemble(events_of(opening(), *text_block(0, "a"), named(STOP)))
    (cost,) = await priced(ctx, sent, Prices(), RoughTokens())
    assert cost.usage == Usage(8, 1, 9, 0, 0, 5, 4)


@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "cache_read_input_tokens"])
def test_a_whole_answer_counts_nothing_that_no_number_holds_exactly(name: str) -> None:
    def usage(count: int) -> Usage | None:
        counts = {"input_tokens": 3, "output_tokens": 2, name: count}
        return ANTHROPIC_MESSAGES.decode_answer(json.dumps(message(usage=counts)).encode()).usage

    assert usage(MOST) is not None
    assert usage(MOST + 1) is None
    assert usage(10**4298) is None


def test_thoughts_that_no_number_holds_exactly_are_not_counted() -> None:
    counts = {"input_tokens": 3, "output_tokens": 2, "output_tokens_details": {"thinking_tokens": 10**4298}}
    answer = ANTHROPIC_MESSAGES.decode_answer(json.dumps(message(usage=counts)).encode())
    assert answer.usage == Usage(3, 2, 5)


@pytest.mark.parametrize("count", [MOST + 1, 10**4298, -1, True, "3"], ids=lambda count: str(count)[:20])
def test_a_count_of_tokens_that_is_none_is_no_answer(count: JsonValue) -> None:
    with pytest.raises(UpstreamError):
        ANTHROPIC_COUNTING.decode_answer(json.dumps({"input_tokens": count}).encode())
