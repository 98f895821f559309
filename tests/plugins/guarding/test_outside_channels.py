"""Texts that providers stream beside the four channels: copies, what is new to us, and what no guard can read whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

import pytest

from sentinel_core.dialects.sse import SseParser
from sentinel_core.json_types import JsonObject, TomlTable, TomlValue
from sentinel_core.testing import Driven
from tests.core.dialects.cuts import payloads
from tests.plugins.guarding.guards import PII, SECRETS, guards, verdicts
from tests.plugins.guarding.test_streams import APIS, Wire, asked, event
from tests.upstream import DONE, chunk, delta
from tests.upstream.anthropic import block, ending, named, opening
from tests.upstream.payloads import response_stream


def heard(name: str, wire: bytes, **tables: TomlValue) -> tuple[bytes, Driven]:
    """What a client of an API gets of a stream, and what became of the request."""

    async def asking() -> tuple[bytes, Driven]:
        async with guards(Wire(), **{"pii": PII, "secrets": SECRETS, **tables}) as chain:
            assert isinstance(chain.provider, Wire)
            chain.provider.pieces = [wire]
            ctx = asked(APIS[name])
            driven = await chain.asked(ctx)
            encoder = APIS[name].dialect.stream_encoder(ctx.request)
            return b"".join([*map(encoder.encode, driven.events), encoder.finish()]), driven

    return asyncio.run(asking())


def streamed(*deltas: JsonObject, **tables: TomlTable) -> tuple[list[JsonObject], Driven]:
    """The deltas that a client of chats gets of these, and what became of the request."""
    wire = b"".join(event(one, True) for one in [*(delta(**one) for one in deltas), delta(finish="stop")]) + DONE
    sent, driven = heard("chat", wire, **tables)
    bodies = [json.loads(data) for data, _ in payloads(SseParser(), [sent.removesuffix(DONE)])]
    return [choice["delta"] for body in bodies for choice in body["choices"]], driven


HALVES = ("to bob@ac", "me.com, ok")


def test_the_input_of_a_tool_that_takes_free_text_is_one_text() -> None:
    head = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "f", "input": ""}}
    inputs = [{"index": 0, "custom": {"input": text}} for text in HALVES]
    sent, driven = streamed(*({"tool_calls": [call]} for call in [head, *inputs]))
    calls = [call for one in sent for call in one.get("tool_calls", ())]
    assert not [call for call in calls if "function" in call]
    assert "".join(call["custom"].get("input", "") for call in calls) == "to [OWN_MAIL], ok"
    assert "".join(call["custom"].get("name", "") for call in calls) == "f"
    assert verdicts(driven)["pii", "response"] == "masked"


@pytest.mark.parametrize(("texts", "left", "said"), [
    (HALVES, "to [OWN_MAIL], ok", "masked"),
    (("I thi", "nk"), "I think", "allowed"),
])  # fmt: skip
@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_every_place_of_reasoning_says_the_same(key: str, texts: Sequence[str], left: str, said: str) -> None:
    detail = {"type": "reasoning.text", "format": "f-1", "index": 0}
    deltas = [{key: text, "reasoning": text, "reasoning_details": [{**detail, "text": text}]} for text in texts]
    sent, driven = streamed(*deltas)
    assert "".join(one.get(key, "") for one in sent) == left
    assert "".join(one.get("reasoning", "") for one in sent) == left
    assert "".join(part["text"] for one in sent for part in one.get("reasoning_details", ())) == left
    assert verdicts(driven)["pii", "response"] == said


@pytest.mark.parametrize("place", [
    lambda text: {"reasoning_details": [{"type": "reasoning.text", "text": text}]},
    lambda text: {"content": [{"type": "note", "note": text}]},
    lambda text: {"audio": {"id": "a", "transcript": text}},
    lambda text: {"note": text},
])  # fmt: skip
def test_text_that_is_streamed_outside_the_channels_is_not_called_read(place: Callable[[str], JsonObject]) -> None:
    assert verdicts(streamed(*map(place, HALVES))[1])["pii", "response"] == "partial"
    refused = streamed(*map(place, HALVES), pii={**PII, "unscannable": "block"})[1]
    assert refused.error is not None
    assert refused.error.code == "content_policy_violation"
    assert verdicts(streamed(place("ok"))[1])["pii", "response"] != "masked"
    masked = streamed({"content": "to bob@acme.com"}, *map(place, HALVES))[1]
    assert masked.outcome is not None
    pii = next(one for one in masked.outcome.verdicts if (one.guard, one.direction) == ("pii", "response"))
    assert (pii.result, pii.unread) == ("masked", True)


@pytest.mark.parametrize("first", [
    {"content": "born 01/02/1980."}, {"note": "born 01/02/1980"}, {"audio": {"transcript": "born 01/02/1980"}},
])  # fmt: skip
def test_a_value_that_was_found_is_found_outside_the_channels_and_from_there(first: JsonObject) -> None:
    said: list[JsonObject] = [{"content": "on 01/02/1980"}, {"note": "on 01/02/1980"}]
    sent, _ = streamed(first, *said, pii={}, secrets={})
    left = [one["note"] for one in sent if "note" in one]
    assert left[-1] == "on [DATE_OF_BIRTH]"
    assert "".join(one.get("content") or "" for one in sent).endswith("on [DATE_OF_BIRTH]")


def test_content_that_comes_as_lists_of_parts_is_one_text() -> None:
    sent, driven = streamed(*({"content": [{"type": "text", "text": text}]} for text in HALVES))
    assert "".join(one.get("content") or "" for one in sent) == "to [OWN_MAIL], ok"
    assert verdicts(driven)["pii", "response"] == "masked"


def test_a_text_of_a_kind_that_is_new_to_us_is_one_text() -> None:
    *frames, last = response_stream("hi")
    at = {"item_id": "sh_1", "output_index": 1}
    new = [named({"type": "response.shell_call_command.delta", **at, "delta": text}) for text in HALVES]
    done = named({"type": "response.shell_call_command.done", **at, "command": "".join(HALVES)})
    sent, driven = heard("responses", b"".join([*frames, *new, done, last]))
    bodies = [json.loads(data) for data, _ in payloads(SseParser(), [sent])]
    found = [one for one in bodies if one["type"].startswith("response.shell")]
    assert "".join(one.get("delta", "") for one in found) == found[-1]["command"] == "to [OWN_MAIL], ok"
    assert verdicts(driven)["pii", "response"] == "masked"


def test_fragments_of_other_apis_outside_the_channels_are_not_called_read() -> None:
    thoughts: list[JsonObject] = [
        {"index": 0, "text": "a", "reasoning": text, "finish_reason": None} for text in HALVES
    ]
    end: JsonObject = {"index": 0, "text": "", "finish_reason": "stop"}
    wire = b"".join(event(chunk([one]), True) for one in (*thoughts, end)) + DONE
    assert verdicts(heard("completions", wire)[1])["pii", "response"] == "partial"
    summary = [{"type": "compaction_delta", "content": text} for text in HALVES]
    for deltas, result in ((summary, "partial"), (summary[:1], "allowed")):
        blocks = block(0, {"type": "compaction", "content": ""}, *deltas)
        driven = heard("messages", b"".join([opening(), *blocks, *ending("end_turn")]))[1]
        assert verdicts(driven)["pii", "response"] == result


def scored(*texts: str) -> bytes:
    """A stream of these tokens with their log probabilities."""
    entries: list[JsonObject] = [{"token": text, "logprob": -1, "bytes": None, "top_logprobs": []} for text in texts]
    choices = [
        {"index": 0, "delta": {"content": entry["token"]}, "logprobs": {"content": [entry]}, "finish_reason": None}
        for entry in entries
    ]
    return b"".join(event(chunk([one]), True) for one in choices) + event(delta(finish="stop"), True) + DONE


def tokens_of(sent: bytes) -> list[tuple[str, str]]:
    """Of each chunk the text, and what the tokens say that have a log probability there."""
    bodies = [json.loads(data) for data, _ in payloads(SseParser(), [sent.removesuffix(DONE)])]
    choices = [choice for body in bodies for choice in body["choices"]]
    found = [
        (choice["delta"].get("content", ""), (choice.get("logprobs") or {}).get("content", ())) for choice in choices
    ]
    return [(text, "".join(entry["token"] for entry in entries)) for text, entries in found]


@pytest.mark.parametrize("texts", [("hello", " wor", "ld"), ("to bob@", " and", " bob", "."), ("a", "b", "c@", "d")])
def test_log_probabilities_leave_with_their_tokens(texts: Sequence[str]) -> None:
    found = tokens_of(heard("chat", scored(*texts))[0])
    said, spelt = "", ""
    for text, tokens in found:
        said, spelt = said + text, spelt + tokens
        assert said.startswith(spelt)
    assert said == spelt == "".join(texts)


def test_log_probabilities_do_not_spell_out_what_was_replaced() -> None:
    found = tokens_of(heard("chat", scored("to ", "bob@ac", "me", ".com", " and", " on"))[0])
    assert "".join(text for text, _ in found) == "to [OWN_MAIL] and on"
    spelt = "".join(tokens for _, tokens in found)
    assert spelt.startswith("to ")
    assert not any(part in spelt for part in ("bob", "ac", "me", "com"))
