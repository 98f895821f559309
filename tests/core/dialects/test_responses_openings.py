"""Responses: the first words of a text may stand in the event that opens it, and are read with the rest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.events import Event, Finish, Opaque, TextEvent, ToolCallDelta
from sentinel_core.json_types import JsonObject
from tests.core.dialects.test_responses_codec import call, decoded, message, part, reasoning, response, stream, written

CALLS: dict[str, tuple[str, str, str]] = {
    "function": ("function_call", "arguments", "response.function_call_arguments"),
    "mcp": ("mcp_call", "arguments", "response.mcp_call_arguments"),
    "custom": ("custom_tool_call", "input", "response.custom_tool_call_input"),
    "code": ("code_interpreter_call", "code", "response.code_interpreter_call_code"),
}
MESSAGES = ["part", "item", "response"]
KINDS = [*MESSAGES, "summary", *CALLS]


def opened(kind: str, first: str, *rest: str) -> list[JsonObject]:
    """A stream whose text begins in an opening event."""
    if kind in CALLS:
        return _called(*CALLS[kind], first, *rest)
    if kind == "summary":
        return _summed(first, *rest)
    frames = stream(first, *rest)
    del frames[3]
    place = {"response": 0, "item": 1, "part": 2}[kind]
    if kind == "part":
        frames[place]["part"] = part(first)
    elif kind == "item":
        frames[place]["item"] = message(part(first))
    else:
        frames[place]["response"]["output"] = [message(part(first))]
    return frames


def _called(item_type: str, member: str, family: str, first: str, *rest: str) -> list[JsonObject]:
    item: JsonObject = {"type": item_type, "id": "c_1", "call_id": "call_1", "name": "f"}
    whole = {**item, member: "".join([first, *rest])}
    at = {"item_id": "c_1", "output_index": 0}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, member: first}},
        *({"type": f"{family}.delta", **at, "delta": piece} for piece in rest),
        {"type": f"{family}.done", **at, member: whole[member]},
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
        {"type": "response.completed", "response": response(whole)},
    ]


def _summed(first: str, *rest: str) -> list[JsonObject]:
    text = "".join([first, *rest])
    at = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
    item = {"type": "reasoning", "id": "rs_1", "summary": [part(text, "summary_text")]}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "summary": []}},
        {"type": "response.reasoning_summary_part.added", **at, "part": part(first, "summary_text")},
        *({"type": "response.reasoning_summary_text.delta", **at, "delta": piece} for piece in rest),
        {"type": "response.reasoning_summary_text.done", **at, "text": text},
        {"type": "response.reasoning_summary_part.done", **at, "part": part(text, "summary_text")},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response(item)},
    ]


def texts_in(value: object) -> list[str]:
    """Every text of a body, in its order."""
    if isinstance(value, list):
        return [text for one in value for text in texts_in(one)]
    if not isinstance(value, dict):
        return []
    names = {"text", "arguments", "input", "code", "delta"}
    own = [said for name, said in value.items() if name in names and isinstance(said, str) and said]
    return own + [text for one in value.values() for text in texts_in(one)]


def said_of(frames: Sequence[JsonObject]) -> str:
    """What a client has put together before the first event that says it all again."""
    until = next(number for number, frame in enumerate(frames) if ".done" in frame["type"])
    return "".join(text for frame in frames[:until] for text in texts_in(frame))


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_words_are_a_fragment_of_the_text_and_no_text_of_their_own(kind: str) -> None:
    events = decoded(opened(kind, "see ann@ac", "me.com", " and"))
    said = [event for event in events if isinstance(event, TextEvent)]
    assert [event.text for event in said] == ["see ann@ac", "me.com", " and"]
    assert len({event.lane for event in said}) == 1
    assert not any("ann@" in slot.text for event in events if isinstance(event, Opaque) for slot in event.slots)
    assert [event.choice for event in events if isinstance(event, Finish)] == [said[0].choice]
    if isinstance(said[0], ToolCallDelta):
        assert (said[0].id, said[0].name, getattr(said[1], "id", 0)) == ("call_1", "f", None)


@pytest.mark.parametrize("kind", KINDS)
def test_untouched_it_leaves_as_it_came(kind: str) -> None:
    frames = opened(kind, "see ann@ac", "me.com and")
    assert written(decoded(frames)) == frames


@given(kind=st.sampled_from(KINDS), fragments=st.lists(st.text(alphabet="abs", min_size=1), min_size=1, max_size=4))
def test_what_a_guard_makes_of_the_first_words_stands_wherever_they_are_repeated(
    kind: str, fragments: list[str]
) -> None:
    events = decoded(opened(kind, *fragments))
    masked = [e.with_text(e.text.replace("s", "*")) if isinstance(e, TextEvent) else e for e in events]
    sent, expected = written(masked), "".join(fragments).replace("s", "*")
    assert said_of(sent) == expected
    assert texts_in(sent[-1]) == [expected]
    assert not any("s" in text for frame in sent for text in texts_in(frame))


@given(kind=st.sampled_from(KINDS), fragments=st.lists(st.text(alphabet="ab", min_size=1), min_size=1, max_size=4))
@pytest.mark.parametrize("way", ["empty", "dropped", "late"])
def test_first_words_that_a_stage_holds_are_a_fragment_behind_the_opening(
    way: str, kind: str, fragments: list[str]
) -> None:
    out: list[Event] = []
    held: list[TextEvent] = []
    for event in decoded(opened(kind, *fragments)):
        if isinstance(event, TextEvent):
            held.append(event)
            out += [event.with_text("")] if way == "empty" else []
        elif isinstance(event, Finish) and held:
            own = held[0].with_text("".join(one.text for one in held))
            out += [own if way == "late" else _without_frame(own), event]
        else:
            out.append(event)
    sent = written(out)
    assert said_of(sent) == "".join(fragments) == "".join(frame.get("delta", "") for frame in sent)
    assert texts_in(sent[-1]) == ["".join(fragments)]
    families = {frame["type"] for frame in sent if frame["type"].endswith(".delta")}
    assert families <= {frame["type"] for frame in opened(kind, "a", "b")}


def _without_frame(event: TextEvent) -> TextEvent:
    made: TextEvent = type(event)(choice=event.choice, text=event.text)
    return made


@pytest.mark.parametrize(
    "item", [call("{}"), message(part("hi")), reasoning("so", "thus")], ids=lambda item: item["type"]
)
def test_an_item_that_opens_whole_has_ended_when_it_is_done(item: JsonObject) -> None:
    """As of servers that stream no arguments: what is held of it leaves before it is repeated."""
    events = decoded(
        [
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": response(item)},
        ]
    )
    texts = [event for event in events if isinstance(event, TextEvent)]
    ends = [number for number, event in enumerate(events) if isinstance(event, Finish)]
    done = next(number for number, e in enumerate(events) if e.frame and e.frame.name.endswith("done"))
    assert ends == list(range(done, done + len(texts)))


def test_an_opening_that_repeats_another_is_not_read_again() -> None:
    frames = opened("item", "see ann@ac", "me.com")
    frames[2]["part"] = part("see ann@ac")
    events = decoded(frames)
    assert "".join(event.text for event in events if isinstance(event, TextEvent)) == "see ann@acme.com"
    masked = [event.with_text("*") if isinstance(event, TextEvent) else event for event in events]
    assert [texts_in(frame) for frame in written(masked)[1:4]] == [["*"], ["*"], ["*"]]


def test_other_words_behind_the_end_of_a_text_are_read_by_themselves() -> None:
    frames = stream("a")
    events = decoded([*frames[:5], {**frames[2], "part": part("secret")}])
    assert isinstance(events[-1], Opaque)
    assert [slot.text for slot in events[-1].slots] == ["secret"]


def _said(text: str) -> list[JsonObject]:
    """An item without a text's own end."""
    whole = {**message(part(text)), "id": "m"}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": {**whole, "content": []}},
        {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": text},
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
    ]


def test_an_item_in_the_place_of_one_that_has_ended_is_read_on() -> None:
    frames = [*_said("one"), *_said("two"), {"type": "response.completed", "response": response(message(part("two")))}]
    events = decoded(frames)
    assert [event.text for event in events if isinstance(event, TextEvent)] == ["one", "two"]
    told = [frame.get("delta") for frame in written(events) if frame["type"] == "response.output_text.delta"]
    assert told == ["one", "two"]
