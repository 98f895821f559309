"""However an answer is cut into a stream, and however its lanes interleave, the transcript is the unary answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Outcome
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import Answer
from sentinel_core.reply import EventStream
from sentinel_core.stage import Stage
from sentinel_core.testing import chunk, events_of, finish_chunk
from tests.core.chain.stages import exchange, stage

WORDS = st.text(min_size=1, max_size=8)
CALLS = st.builds(
    lambda number, name, arguments: {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    },
    st.integers(0, 99),
    WORDS,
    WORDS,
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": WORDS},
    optional={"reasoning_content": WORDS, "refusal": WORDS, "tool_calls": st.lists(CALLS, min_size=1, max_size=3)},
)
REASONS = st.sampled_from(("stop", "length", "tool_calls", "content_filter"))
USAGES = st.none() | st.builds(
    lambda prompt, completion: {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    },
    st.integers(0, 9),
    st.integers(0, 9),
)
TOP: JsonObject = {"id": "chatcmpl-1", "created": 1, "model": "fake"}


@st.composite
def completions(draw: st.DrawFn) -> JsonObject:
    """A completion of up to three choices."""
    messages = draw(st.lists(MESSAGES, min_size=1, max_size=3))
    choices = [
        {"index": index, "message": message, "finish_reason": draw(REASONS)} for index, message in enumerate(messages)
    ]
    usage = draw(USAGES)
    return {**TOP, "object": "chat.completion", "choices": choices} | ({"usage": usage} if usage else {})


def cut(draw: st.DrawFn, text: str) -> list[str]:
    """A text in fragments."""
    ends = sorted({*draw(st.lists(st.integers(1, len(text)), max_size=3)), len(text)})
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def lanes(draw: st.DrawFn, message: JsonObject) -> Iterator[list[JsonObject]]:
    """The deltas of each lane of a message."""
    for key in message.keys() & {"content", "reasoning_content", "refusal"}:
        yield [{key: piece} for piece in cut(draw, message[key])]
    for index, call in enumerate(message.get("tool_calls", ())):
        first, *rest = cut(draw, call["function"]["arguments"])
        opening = {**call, "index": index, "function": {**call["function"], "arguments": first}}
        more = [{"index": index, "function": {"arguments": piece}} for piece in rest]
        yield [{"tool_calls": [fragment]} for fragment in (opening, *more)]


@st.composite
def streamed(draw: st.DrawFn) -> tuple[JsonObject, list[bytes]]:
    """A completion, and a stream that says the same: lanes interleave anyhow, a choice's end is its last chunk."""
    body = draw(completions())
    waiting = [(choice, deltas) for choice in body["choices"] for deltas in lanes(draw, choice["message"])]
    chunks: list[bytes] = []
    while waiting:
        choice, deltas = waiting.pop(draw(st.integers(0, len(waiting) - 1)))
        chunks.append(chunk(deltas[0], choice=choice["index"], **TOP))
        if deltas[1:]:
            waiting.append((choice, deltas[1:]))
        elif all(other is not choice for other, _ in waiting):
            chunks.append(finish_chunk(choice["finish_reason"], choice=choice["index"]))
    if "usage" in body:
        chunks.append(msgspec.json.encode({**TOP, "choices": [], "usage": body["usage"]}))
    return body, chunks


async def guarded(reply: Answer | EventStream, *, stream: bool, after: list[Stage]) -> Answer:
    """What the finishers see of this reply."""
    seen: list[Outcome] = []

    def on_request(self: Stage) -> Answer | EventStream:
        return reply

    def on_finish(self: Stage, outcome: Outcome) -> None:
        seen.append(outcome)

    await exchange(stage("observer", on_finish), *after, stage("answers", on_request), stream=stream)
    assert seen[0].guarded is not None
    assert seen[0].usage == seen[0].guarded.usage
    return seen[0].guarded


async def played(chunks: list[bytes]) -> AsyncIterator[Event]:
    for payload in chunks:
        for event in events_of(payload):
            yield event


@given(streamed())
async def test_what_finishers_see_of_a_stream_is_the_unary_answer(drawn: tuple[JsonObject, list[bytes]]) -> None:
    body, chunks = drawn
    answer = OPENAI_CHAT.decode_answer(json.dumps(body).encode())
    unary = await guarded(answer, stream=False, after=[])
    stream = await guarded(EventStream(played(chunks), dialect=OPENAI_CHAT), stream=True, after=[])
    replayed = await guarded(answer, stream=True, after=[])
    collected = await guarded(EventStream(played(chunks), dialect=OPENAI_CHAT), stream=False, after=[])
    assert unary.body == stream.body == replayed.body == collected.body == body
    assert unary.usage == stream.usage == replayed.usage == collected.usage


@given(streamed())
async def test_what_a_guard_that_reads_whole_answers_is_given_of_a_stream_is_the_unary_answer(
    drawn: tuple[JsonObject, list[bytes]],
) -> None:
    body, chunks = drawn
    given_: list[Answer] = []

    def on_response(self: Stage, answer: Answer) -> Answer:
        given_.append(answer)
        return answer

    after = [stage("guard", on_response)]
    assert (await guarded(EventStream(played(chunks), dialect=OPENAI_CHAT), stream=True, after=after)).body == body
    assert given_[0].body == body
