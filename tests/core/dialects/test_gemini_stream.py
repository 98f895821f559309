"""Gemini's streams as events of OpenAI's chat: what a chunk becomes, when a stream is complete, every split alike."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI, GeminiFraming
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import translated_events
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Opaque, ReasoningDelta, TextDelta, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.usage import Usage
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream.api import Call, Said
from tests.upstream.gemini import GEMINI, candidate, error_body, event, function_call, reply, says, text

MIB = 1 << 20


def pieces(wire: bytes, sizes: Sequence[int]) -> list[bytes]:
    """The bytes in pieces of these sizes, the rest as one."""
    cut, at = [], 0
    for size in sizes:
        cut.append(wire[at : at + size])
        at += size
    return [*cut, wire[at:]]


def decoded(wire: bytes, sizes: Sequence[int] = ()) -> tuple[list[Event], UpstreamError | None]:
    """The events of a stream and the error that ended it."""
    framing, decoder = GeminiFraming(MIB), GOOGLE_GEMINI.reader("asked").stream_decoder()
    events: list[Event] = []
    try:
        for piece in pieces(wire, sizes):
            for payload, name in framing.feed(piece):
                events += decoder.decode(payload, name)
        for payload, name in framing.close():
            events += decoder.decode(payload, name)
        decoder.end()
    except UpstreamError as error:
        return events, error
    assert not decoder.done  # only its bytes end it
    return events, None


def whole(*chunks: bytes) -> list[Event]:
    """The events of a stream that is complete."""
    events, error = decoded(b"".join(chunks))
    assert error is None
    return events


def plain(events: Sequence[Event]) -> list[object]:
    """Events as values: frames are told apart by their bodies, without the clock."""
    made: list[object] = []
    for one in events:
        body = {key: value for key, value in one.frame.body.items() if key != "created"} if one.frame else None
        fields = {name: getattr(one, name) for name in one.__struct_fields__ if name != "frame"}
        made.append((type(one).__name__, body, fields))
    return made


def deltas_of(events: Sequence[Event]) -> list[JsonValue]:
    """What the events say to a client of OpenAI's format, chunk by chunk."""
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    encoder = OPENAI_CHAT.stream_encoder(OPENAI_CHAT.decode_request(body))
    lines = b"".join(map(encoder.encode, events)).split(b"\n\n")
    chunks = [json.loads(line.removeprefix(b"data: ")) for line in lines if line]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    return [choice for chunk in chunks for choice in chunk["choices"]]


def test_a_stream_with_everything_in_it() -> None:
    events = whole(
        says(text("hm", thought=True), usageMetadata={"promptTokenCount": 3, "thoughtsTokenCount": 1}),
        says(text("Ro"), usageMetadata={"promptTokenCount": 3, "thoughtsTokenCount": 1}),
        says(text("me"), function_call("w", {"city": "Rome"}, signature="Q2/+="), function_call("now", id="own")),
        says(text("!", thoughtSignature="textsig")),
        says(function_call("w", {}), text(""), finish="STOP"),
    )
    made = deltas_of(events)
    calls = [call for choice in made for call in choice["delta"].get("tool_calls", ())]
    assert [choice["delta"] for choice in made] == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "hm"},
        {"content": "Ro"},
        {"content": "me"},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": calls[0]["id"],
                    "type": "function",
                    "function": {"name": "w", "arguments": '{"city":"Rome"}'},
                    "extra_content": {"google": {"thought_signature": "Q2/+="}},
                }
            ]
        },
        {"tool_calls": [{"index": 1, "id": "own", "type": "function", "function": {"name": "now", "arguments": "{}"}}]},
        {"content": "!"},
        {
            "tool_calls": [
                {"index": 2, "id": calls[2]["id"], "type": "function", "function": {"name": "w", "arguments": "{}"}}
            ]
        },
        {"extra_content": {"google": {"thought_signature": "textsig"}}},
        {},
    ]
    assert [choice["finish_reason"] for choice in made] == [None] * 9 + ["tool_calls"]
    assert len({call["id"] for call in calls}) == 3
    reports = [one.usage for one in events if isinstance(one, UsageReport)]
    assert reports == [Usage(3, 1, 4, 0, 1), Usage(3, 2, 5)]  # what did not change is not said again


def test_ids_and_texts_are_those_of_the_unary_answer() -> None:
    parts = [text("a", thought=True), text("b"), function_call("w", {"x": 1}), function_call("w")]
    streamed = OPENAI_CHAT.assemble(whole(*(says(part) for part in parts), says(finish="STOP"))).body
    body = json.dumps(reply(candidate(*parts, finish="STOP"))).encode()
    unary = GOOGLE_GEMINI.reader("asked").decode_answer(body).body
    assert {**streamed, "created": 0} == {**unary, "created": 0}


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("MALFORMED_FUNCTION_CALL", "stop")],
)
def test_a_reason_to_finish_that_openai_lacks_stands_beside_it(reason: str, finish: str) -> None:
    made = deltas_of(whole(says(text("x")), says(finish=reason)))
    assert made[-1]["finish_reason"] == finish
    kept = [choice["delta"]["extra_content"] for choice in made if "extra_content" in choice["delta"]]
    assert kept == ([] if reason in ("STOP", "MAX_TOKENS") else [{"google": {"finish_reason": reason}}])


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "OTHER", "A_NEW_REASON"])
def test_u12_a_stream_without_an_answer_of_a_model_that_failed_is_an_error(reason: str) -> None:
    events, error = decoded(says(text("")) + says(finish=reason))
    assert [type(one) for one in events if not isinstance(one, UsageReport)] == [Opaque]
    assert error is not None
    assert error.code == "upstream_error"


def test_u28_choices_are_told_apart_and_a_stream_is_complete_when_all_are() -> None:
    first = event(reply(candidate(text("a")), candidate(text("b"), function_call("w"), index=1)))
    half = event(reply(candidate(text("c"), finish="STOP", index=1)))
    assert decoded(first + half)[1] is not None
    made = deltas_of(whole(first, half, event(reply(candidate(text("d"), finish="STOP")))))
    assert [(choice["index"], choice["delta"].get("content"), choice["finish_reason"]) for choice in made] == [
        (0, "", None),
        (0, "a", None),
        (1, "", None),
        (1, "b", None),
        (1, None, None),
        (1, "c", None),
        (1, None, "tool_calls"),
        (0, "d", None),
        (0, None, "stop"),
    ]


@pytest.mark.parametrize(
    "tail", [b"", says(text("y")), event(reply()), event({}), b"data: \r\n\r\n", b": ping\r\n\r\n"]
)
def test_u09b_a_stream_that_does_not_say_why_it_ended_is_interrupted(tail: bytes) -> None:
    for head in (b"", says(text("x"))):
        error = decoded(head + tail)[1]
        assert error is not None
        assert error.code == "upstream_stream_interrupted"


def test_a_reason_that_comes_again_is_saidonce_and_what_follows_is_not_lost() -> None:
    again = says(text("b"), finish="STOP")
    counts = event(reply(usageMetadata={"promptTokenCount": 7}))
    kinds = [type(one) for one in whole(says(text("a"), finish="STOP"), again, counts)]
    assert kinds == [Opaque, TextDelta, Finish, UsageReport, TextDelta, UsageReport]


@pytest.mark.parametrize("opening", [b"", says(text("x")), says(text("x")) + says(text(""), finish="STOP")])
def test_u13_an_error_as_bare_json_within_a_stream_is_an_error(opening: bytes) -> None:
    events, error = decoded(opening + GEMINI.midstream_error("The model is overloaded."))
    assert error is not None
    assert (error.code, error.status, error.message) == ("overloaded", 503, "The model is overloaded.")
    assert len([one for one in events if isinstance(one, TextDelta)]) == bool(opening)


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: [body]])
def test_u13_an_error_as_an_event_is_an_error(wrap: Callable[[JsonObject], JsonValue]) -> None:
    error = decoded(says(text("x")) + event(wrap(error_body(429, "slow"))))[1]
    assert error is not None
    assert (error.code, error.upstream_status) == ("rate_limit_exceeded", 200)


def test_a_blocked_prompt_is_the_callers_to_mend() -> None:
    events, error = decoded(event(reply(promptFeedback={"blockReason": "SAFETY"})))
    assert events == []
    assert error is not None
    assert (error.status, error.wire_code) == (400, "content_filter")


@pytest.mark.parametrize("payload", [b"oops", b"[1]", b'"x"', b'{"candidates":3}', b"\xff", b"[" * 5000])
def test_u11_a_chunk_that_is_none_is_an_error(payload: bytes) -> None:
    error = decoded(says(text("x")) + b"data: " + payload + b"\r\n\r\n")[1]
    assert error is not None
    assert error.code == "upstream_invalid_response"


def test_only_content_commits_to_an_answer() -> None:
    decoder = GOOGLE_GEMINI.reader("m").stream_decoder()
    bears = [
        (type(one).__name__, decoder.bears_content(one))
        for one in whole(
            says(text("", thoughtSignature="sig")),
            says(text("hm", thought=True)),
            says(text("x")),
            says({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
            says(function_call("w")),
            says(finish="SAFETY"),
        )
    ]
    assert bears == [
        ("Opaque", False),
        ("UsageReport", False),
        ("ReasoningDelta", True),
        ("TextDelta", True),
        ("Opaque", True),
        ("ToolCallDelta", True),
        ("Opaque", False),
        ("Finish", True),
    ]


def test_log_probabilities_are_read_by_guards_as_those_of_any_upstream_and_images_are_not() -> None:
    found = {"chosenCandidates": [{"token": "secret", "logProbability": -1}]}
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    events = whole(event(reply(candidate(text("secret"), picture, logprobsResult=found, finish="STOP"))))
    others = [one for one in events if isinstance(one, Opaque)]
    read = [slot.text for one in others for slot in one.texts()]
    assert "secret" in read
    assert "data:image/png;base64,AAAA" not in read
    assert any(one.unreadable for one in others)
    made = deltas_of(events)
    assert [choice["logprobs"]["content"][0]["token"] for choice in made if choice.get("logprobs")] == ["secret"]
    assert [choice["delta"]["images"][0]["index"] for choice in made if "images" in choice["delta"]] == [0]


def test_a_guard_that_changes_a_signed_call_leaves_its_signature() -> None:
    events = whole(says(function_call("w", {"city": "Rome"}, signature="sig"), finish="STOP"))
    changed = [one.with_text('{"city":"*"}') if isinstance(one, ToolCallDelta) else one for one in events]
    (call,) = (call for choice in deltas_of(changed) for call in choice["delta"].get("tool_calls", ()))
    assert call["function"] == {"name": "w", "arguments": '{"city":"*"}'}
    assert call["extra_content"] == {"google": {"thought_signature": "sig"}}


async def translated(wire: bytes, target: Dialect) -> list[Event]:
    """The events for a client of another dialect."""

    async def events() -> AsyncIterator[Event]:
        for one in decoded(wire)[0]:
            yield one

    fields = {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    return [one async for one in translated_events(events(), OPENAI_CHAT, target.decode_request(fields))]


async def test_a_stream_for_a_client_of_messages() -> None:
    chunks = [
        says(text("hm", thought=True)),
        says(text("hot"), function_call("w", {"city": "Rome"}, id="c1", signature="sig")),
        says(function_call("w", id="c2")),
        says(text("", thoughtSignature="sig"), finish="STOP"),
    ]
    request = {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    encoder = ANTHROPIC_MESSAGES.stream_encoder(ANTHROPIC_MESSAGES.decode_request(request))
    events = await translated(b"".join(chunks), ANTHROPIC_MESSAGES)
    out = b"".join(map(encoder.encode, events)) + encoder.finish()
    frames = [json.loads(line.removeprefix(b"data: ")) for line in out.split(b"\n") if line.startswith(b"data: ")]
    assert frames[0]["message"]["model"] == "gemini-upstream"
    started = [frame["content_block"] for frame in frames if frame["type"] == "content_block_start"]
    assert [(block["type"], block.get("id")) for block in started] == [
        ("thinking", None),
        ("text", None),
        ("tool_use", "c1"),
        ("tool_use", "c2"),
    ]
    inputs = [frame["delta"]["partial_json"] for frame in frames if frame.get("delta", {}).get("partial_json")]
    assert inputs == ['{"city":"Rome"}', "{}"]
    assert [frame["delta"]["stop_reason"] for frame in frames if frame["type"] == "message_delta"] == ["tool_use"]


# Any split of any stream gives the same events, and what they say is what was sent.
texts = st.text(min_size=1, max_size=6)
values = json_values(st.none() | st.booleans() | st.integers(-9, 9) | texts, texts)
signed = st.just("") | texts
arguments = st.none() | st.dictionaries(texts, values, max_size=2)
parts = (
    texts.map(text)
    | texts.map(lambda thought: text(thought, thought=True))
    | st.builds(text, signed, thoughtSignature=texts)
    | st.builds(lambda args, signature: function_call("w", args, signature=signature), arguments, signed)
)
groups = st.lists(parts, max_size=3)
ends = st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY", None])
line_ends = st.sampled_from([b"\r\n", b"\n", b"\r"])
dirt = st.sampled_from([b"", b": ping", b"id: 1", b"retry: 2", b"event: x"])


@st.composite
def wires(draw: st.DrawFn) -> bytes:
    """A stream of up to two candidates, with whatever may stand between its events, and perhaps an error."""
    chunks = [reply(candidate(*group, index=draw(st.integers(0, 1)))) for group in draw(st.lists(groups, max_size=4))]
    chunks += [reply(candidate(finish=end, index=index)) for index in (0, 1) if (end := draw(ends))]
    eol = draw(line_ends)
    bodies = [json.dumps(chunk, ensure_ascii=draw(st.booleans())).encode() for chunk in chunks]
    lines = [draw(dirt) + eol + b"data: " + body for body in bodies]
    if draw(st.booleans()):
        lines.append(json.dumps(error_body(503, "busy"), indent=1).replace("\n", eol.decode()).encode())
    return b"".join(line + eol + eol for line in lines)


@promised()
@given(wires(), st.lists(st.integers(1, 40), max_size=30))
def test_p8_every_split_of_a_stream_gives_the_same_events(wire: bytes, sizes: list[int]) -> None:
    events, error = decoded(wire)
    for cut in (sizes, [1] * len(wire)):
        again, other = decoded(wire, cut)
        assert plain(again) == plain(events)
        assert str(other) == str(error)


@promised()
@given(st.lists(groups, max_size=4))
def test_p8_a_stream_says_what_was_sent_and_arguments_are_valid_json(sent: list[list[JsonValue]]) -> None:
    events = whole(*(says(*group) for group in sent), says(finish="STOP"))
    given_ = [part for group in sent for part in group]
    for kind, thought in ((TextDelta, None), (ReasoningDelta, True)):
        expected = "".join(part["text"] for part in given_ if "text" in part and part.get("thought") is thought)
        assert "".join(one.text for one in events if isinstance(one, kind)) == expected
    called = [part["functionCall"].get("args", {}) for part in given_ if "functionCall" in part]
    calls = [one for one in events if isinstance(one, ToolCallDelta)]
    assert [json.loads(one.text) for one in calls] == called
    assert [one.index for one in calls] == list(range(len(calls)))
    assert len({one.id for one in calls}) == len(calls)


def test_the_scripted_upstream_speaks_in_both_forms_alike() -> None:
    said = Said("hello", "hm", [Call("c", "w", {"a": 1})], "tool_calls", Usage(3, 5, 8, 1, 2))
    streamed = OPENAI_CHAT.assemble(whole(*GEMINI.stream(said).whole))
    unary = GOOGLE_GEMINI.reader("m").decode_answer(json.dumps(GEMINI.answer(said)).encode())
    assert streamed.usage == unary.usage == said.usage
    assert streamed.body["choices"] == unary.body["choices"]
