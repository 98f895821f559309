"""What holds of any answer and of any request between Responses and other APIs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.dialects.translation import UpstreamChat, translated_answer, translated_request
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Event, Opaque, TextEvent
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from tests.core.dialects.responses_client import (
    FUNCTION,
    asked,
    call_delta,
    check,
    choice,
    read,
    through,
    written,
)
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream import chunk, delta, sse
from tests.upstream.anthropic import (
    ending,
    message,
    opening,
    text_block,
    thinking_block,
    tool_block,
)

PDF = "data:application/pdf;base64,JVBE"
OPUS = "claude-opus-4-5"
UPSTREAMS: dict[str, UpstreamChat] = {"gpt": OPENAI_CHAT, OPUS: ANTHROPIC_MESSAGES}


# Any answer: thoughts, words, calls with any JSON, in fragments; as OpenAI streams and as Anthropic does.
fragments = st.lists(st.text(min_size=1, max_size=4), max_size=3)
inputs = st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.integers(-9, 9) | st.none(), max_size=2)


class Spoken:
    """An answer, and how it is said."""

    def __init__(self, thoughts: list[str], words: list[str], calls: list[JsonObject], size: int) -> None:
        self.thoughts = thoughts
        self.words = words
        self.calls = calls
        self.size = size

    def __repr__(self) -> str:
        return f"Spoken({self.thoughts!r}, {self.words!r}, {self.calls!r}, {self.size})"

    def pieces(self, call: JsonObject) -> list[str]:
        text = json.dumps(call)
        return [text[at : at + self.size] for at in range(0, len(text), self.size)]

    @property
    def finish(self) -> str:
        return "tool_calls" if self.calls else "stop"

    def chat(self) -> bytes:
        """As OpenAI streams it, the fragments of its calls by turns."""
        chunks = [delta(role="assistant")]
        chunks += [delta(reasoning_content=text) for text in self.thoughts]
        chunks += [delta(text) for text in self.words]
        chunks += [call_delta(number, "", id=f"c{number}", name="w") for number in range(len(self.calls))]
        pieces = [[(number, piece) for piece in self.pieces(call)] for number, call in enumerate(self.calls)]
        longest = max(map(len, pieces), default=0)
        turns = [said[turn] for turn in range(longest) for said in pieces if turn < len(said)]
        chunks += [call_delta(number, piece) for number, piece in turns]
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        return b"".join(map(sse, [*chunks, delta(finish=self.finish), chunk([], usage=usage)]))

    def chat_answer(self) -> JsonObject:
        calls = [
            {"id": f"c{number}", "type": "function", "function": {"name": "w", "arguments": json.dumps(call)}}
            for number, call in enumerate(self.calls)
        ]
        said: JsonObject = {"content": "".join(self.words) or None}
        if self.thoughts:
            said["reasoning_content"] = "".join(self.thoughts)
        return choice(self.finish, **said, **({"tool_calls": calls} if calls else {}))

    def messages(self) -> bytes:
        """As Anthropic streams it, block by block."""
        blocks = [thinking_block(0, *self.thoughts)] if self.thoughts else []
        blocks += [text_block(len(blocks), *self.words)] if self.words else []
        for number, call in enumerate(self.calls):
            blocks.append(tool_block(len(blocks), f"c{number}", "w", *self.pieces(call)))
        reason = "tool_use" if self.calls else "end_turn"
        return b"".join([opening(), *(part for one in blocks for part in one), *ending(reason)])

    def messages_answer(self) -> JsonObject:
        thought = {"type": "thinking", "thinking": "".join(self.thoughts), "signature": "sig"}
        blocks: list[JsonValue] = [thought] if self.thoughts else []
        blocks += ["".join(self.words)] if self.words else []
        calls = [
            {"type": "tool_use", "id": f"c{number}", "name": "w", "input": call}
            for number, call in enumerate(self.calls)
        ]
        reason = "tool_use" if self.calls else "end_turn"
        answer = message(*blocks, *calls, stop_reason=reason)
        return {**answer, "content": answer["content"] if blocks or calls else []}


spoken = st.builds(Spoken, fragments, fragments, st.lists(inputs, max_size=3), st.integers(1, 9))
cuts = st.lists(st.integers(0, 10_000), max_size=4)


def comparable(response: JsonMapping) -> JsonObject:
    """A response without the time at which it was made, and arguments as what they mean."""
    output = [
        {**item, "arguments": json.loads(item["arguments"])} if item["type"] == "function_call" else item
        for item in response["output"]
    ]
    return {**response, "created_at": 0, "output": output}


@promised()
@given(spoken, cuts)
def test_p8_a_stream_of_chat_ends_in_the_response_that_the_whole_answer_is(said: Spoken, places: list[int]) -> None:
    frames = written(read(said.chat(), OPENAI_CHAT, places, instructions="i", tools=[FUNCTION]))
    whole = through(said.chat_answer(), OPENAI_CHAT, instructions="i", tools=[FUNCTION])
    assert check(frames) == whole
    assert frames == written(read(said.chat(), OPENAI_CHAT, (), instructions="i", tools=[FUNCTION]))
    arguments = [item["arguments"] for item in whole["output"] if item["type"] == "function_call"]
    assert list(map(json.loads, arguments)) == said.calls


@promised()
@given(spoken, cuts)
def test_p8_a_stream_of_messages_ends_in_the_response_that_the_whole_answer_is(said: Spoken, places: list[int]) -> None:
    frames = written(read(said.messages(), ANTHROPIC_MESSAGES, places))
    whole = through(said.messages_answer(), ANTHROPIC_MESSAGES)
    assert comparable(check(frames)) == comparable({**whole, "model": frames[-1]["response"]["model"]})


@given(spoken)
def test_u15_a_translated_answer_that_is_framed_as_a_stream_says_the_same(said: Spoken) -> None:
    answer = translated_answer(OPENAI_CHAT.decode_answer(json.dumps(said.chat_answer()).encode()), asked())
    assert check(written(OPENAI_RESPONSES.stream_frames(answer))) == answer.body


# A guard that denies everything: whatever it is not shown, it cannot deny.
MASK = "*"


def masked(slots: Iterable[TextSlot]) -> dict[Path, str]:
    return {slot.path: MASK for slot in slots if slot.text}


@given(spoken, st.text(alphabet="xyz", min_size=3, max_size=5))
def test_h46_a_guard_that_masks_every_string_of_a_translated_stream_leaves_none(said: Spoken, secret: str) -> None:
    hidden = Spoken([secret] * bool(said.thoughts), [secret], [{secret: secret} for _ in said.calls], said.size)
    events = read(hidden.chat(), OPENAI_CHAT, instructions=secret, tools=[{**FUNCTION, "description": secret}])
    shown: list[Event] = []
    for event in events:
        if isinstance(event, TextEvent):
            shown.append(event.with_text(MASK))
        else:
            shown.append(event.with_texts(masked(event.texts())) if isinstance(event, Opaque) else event)
    assert secret not in json.dumps(written(shown))


@given(spoken, st.text(alphabet="xyz", min_size=3, max_size=5))
def test_h46_a_guard_that_masks_every_string_of_a_translated_answer_leaves_none(said: Spoken, secret: str) -> None:
    hidden = Spoken([secret] * bool(said.thoughts), [secret], [{secret: secret} for _ in said.calls], said.size)
    raw = json.dumps(hidden.chat_answer()).encode()
    answer = translated_answer(OPENAI_CHAT.decode_answer(raw), asked(instructions=secret, metadata={secret: secret}))
    assert secret not in json.dumps(answer.with_texts(masked(answer.texts())).body)


secrets = st.just("s3cret")
input_parts = st.sampled_from(
    [
        {"type": "input_text", "text": "s3cret"},
        {"type": "output_text", "text": "s3cret", "annotations": [{"type": "x", "title": "s3cret"}]},
        {"type": "refusal", "refusal": "s3cret"},
        {"type": "input_image", "image_url": "https://host/s3cret", "detail": "low"},
        {"type": "input_file", "filename": "s3cret", "file_data": PDF},
        {"type": "new", "s3cret": ["s3cret"]},
    ]
)
contents = secrets | st.lists(input_parts, min_size=1, max_size=3)
items = st.one_of(
    st.builds(lambda role, content: {"role": role, "content": content}, st.sampled_from(["user", "system"]), contents),
    st.builds(lambda content: {"type": "message", "role": "assistant", "content": content}, contents),
    st.just({"type": "function_call", "call_id": "c", "name": "s3cret", "arguments": '{"s3cret":"s3cret"}'}),
    st.builds(lambda output: {"type": "function_call_output", "call_id": "c", "output": output}, contents),
    st.just({"type": "reasoning", "summary": [{"type": "summary_text", "text": "s3cret"}]}),
    st.just({"type": "reasoning", "summary": [], "extra_content": {"anthropic": {"s3cret": "s3cret"}}}),
    st.just({"type": "web_search_call", "action": {"query": "s3cret"}}),
)
requests = st.fixed_dictionaries(
    {"input": secrets | st.lists(items, max_size=5).map(lambda more: [{"role": "user", "content": "hi"}, *more])},
    optional={
        "instructions": secrets,
        "tools": st.just([{**FUNCTION, "name": "s3cret", "description": "s3cret", "parameters": {"s3cret": "s3cret"}}]),
        "tool_choice": st.just({"type": "function", "name": "s3cret"}),
        "text": st.just({"format": {"type": "json_schema", "name": "s3cret", "schema": {"s3cret": "s3cret"}}}),
        "metadata": st.just({"s3cret": "s3cret"}),
        "user": secrets,
        "s3cret": secrets,
    },
)


@given(requests)
def test_h46_a_guard_that_masks_every_string_of_a_request_leaves_none_for_the_upstream(body: JsonObject) -> None:
    request = asked(**body)
    clean = request.with_texts({slot.path: slot.text.replace("s3cret", MASK) for slot in request.texts()})
    for model, dialect in UPSTREAMS.items():
        translated, dropped = translated_request(clean, dialect, model)
        assert b"s3cret" not in dialect.encode_request(translated, model)
        assert "s3cret" not in str(dropped)


KINDS = st.sampled_from(["user", "system", "assistant", "function_call", "function_call_output", "reasoning"])


def item_of(kind: str, text: str) -> JsonObject:
    """An item that says this."""
    if kind == "function_call":
        return {"type": kind, "call_id": "c", "name": "w", "arguments": text}
    if kind == "function_call_output":
        return {"type": kind, "call_id": "c", "output": text}
    if kind == "reasoning":
        return {"type": kind, "summary": [], "content": [{"type": "reasoning_text", "text": text}]}
    return {"role": kind, "content": text}


@given(st.lists(KINDS, max_size=9))
def test_what_the_assistant_does_between_two_turns_of_others_is_one_message(kinds: list[str]) -> None:
    """A result is where its call's message and the results before it end, and otherwise where it came."""
    expected: list[tuple[str, list[str]]] = [("user", ["first"])]
    called: tuple[str, list[str]] | None = None
    behind = 0
    for number, kind in enumerate(kinds):
        role = {"function_call_output": "tool", "user": "user", "system": "system"}.get(kind, "assistant")
        if role == expected[-1][0] == "assistant":
            expected[-1][1].append(f"t{number}")
        elif role == "tool" and called is not None:
            behind += 1
            expected.insert(expected.index(called) + behind, (role, [f"t{number}"]))
        else:
            expected.append((role, [f"t{number}"]))
        if kind == "function_call" and called is not expected[-1]:
            called, behind = expected[-1], 0
    given_items = [item_of(kind, f"t{number}") for number, kind in enumerate(kinds)]
    request = asked(input=[{"role": "user", "content": "first"}, *given_items])
    messages = OPENAI_RESPONSES.to_canonical_request(request).body["messages"]
    found = [(message["role"], re.findall(r"first|t\d", json.dumps(message))) for message in messages]
    thoughts = {f"t{number}" for number, kind in enumerate(kinds) if kind == "reasoning"}
    said = [(role, texts) for role, texts in expected if not thoughts.issuperset(texts)]
    assert [(role, sorted(texts)) for role, texts in found] == [(role, sorted(texts)) for role, texts in said]


WORDS = ["function", "input_text", "input_image", "message", "function_call", "reasoning", "user", "assistant"]
WILD = json_values(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3) | st.sampled_from(WORDS),
    st.sampled_from(
        [
            *("type", "role", "content", "text", "name", "arguments", "call_id", "output", "summary", "tools"),
            *("extra_content", "anthropic", "thinking_blocks", "signature", "length", "format", "image_url"),
        ]
    ),
    levels=3,
    width=3,
)
HOSTILE_REQUESTS = st.fixed_dictionaries(
    {"input": WILD | st.lists(WILD, max_size=3)},
    optional=dict.fromkeys(
        ("instructions", "tools", "tool_choice", "text", "reasoning", "user", "store", "prompt", "include"), WILD
    ),
)


@given(HOSTILE_REQUESTS)
def test_whatever_a_client_sends_is_translated_or_refused(body: JsonObject) -> None:
    for model, dialect in UPSTREAMS.items():
        try:
            request, _ = translated_request(asked(**body), dialect, model)
        except Refusal as refusal:
            assert refusal.status == 400  # noqa: PT017 - either end is right
        else:
            dialect.encode_request(request, model)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("content", "refusal", "tool_calls", "extra_content"), WILD)))
def test_u12_whatever_an_upstream_says_is_a_response_or_an_upstream_error(message_: JsonObject) -> None:
    try:
        body = through(choice(**message_), OPENAI_CHAT)
    except UpstreamError as error:
        assert error.code == "upstream_invalid_response"  # noqa: PT017 - as above
    else:
        answer = OPENAI_RESPONSES.decode_answer(json.dumps(body).encode())
        assert check(written(OPENAI_RESPONSES.stream_frames(answer))) == body
