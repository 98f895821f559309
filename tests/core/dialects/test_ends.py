"""How an answer ended, changed by a stage: the same on a stream and on a whole answer, in every dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.events import Event, Finish
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import Answer

Change = Callable[[Finish], Finish]

TOP = {"id": "a-1", "created": 1, "model": "m"}
MESSAGE = {"role": "assistant", "content": "hi"}
PART = {"type": "output_text", "text": "hi", "annotations": []}
FINISHED, FILTERED = b'"finish_reason":"stop"', b'"finish_reason":"content_filter"'
COMPLETE, INCOMPLETE = b'"status":"completed"', b'"incomplete_details":{"reason":"content_filter"}'
DIALECTS: dict[str, tuple[Dialect, JsonObject, JsonObject, bytes, bytes]] = {  # request, answer, words
    "chat": (
        OPENAI_CHAT,
        {"model": "m", "messages": [{"role": "user", "content": "x"}]},
        {**TOP, "object": "chat.completion", "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]},
        FINISHED,
        FILTERED,
    ),
    "completions": (
        OPENAI_COMPLETIONS,
        {"model": "m", "prompt": "x"},
        {**TOP, "object": "text_completion", "choices": [{"index": 0, "text": "hi", "finish_reason": "stop"}]},
        FINISHED,
        FILTERED,
    ),
    "responses": (
        OPENAI_RESPONSES,
        {"model": "m", "input": "x"},
        {
            **{"id": "r-1", "object": "response", "created_at": 1, "model": "m", "status": "completed"},
            "output": [{"type": "message", "id": "i-1", "role": "assistant", "content": [PART]}],
        },
        COMPLETE,
        INCOMPLETE,
    ),
    "messages": (
        ANTHROPIC_MESSAGES,
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
        {
            **{"id": "m-1", "type": "message", "role": "assistant", "model": "m"},
            **{"content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"input_tokens": 1, "output_tokens": 1},
        },
        b'"stop_reason":"end_turn"',
        b'"stop_reason":"refusal"',
    ),
}


def changed(end: Finish) -> Finish:
    return msgspec.structs.replace(end, reason="content_filter", changed=True)


def own(end: Finish) -> Finish:
    return Finish(choice=end.choice, reason="content_filter")


def through(events: Sequence[Event], change: Change) -> list[Event]:
    return [change(event) if isinstance(event, Finish) else event for event in events]


def unary(answer: Answer, change: Change) -> bytes:
    """The body that a caller gets of an answer whose ends were changed on the way."""
    dialect = answer.dialect
    return dialect.encode_answer(dialect.recompose(answer, through(dialect.decompose(answer), change)))


def streamed(answer: Answer, request: JsonObject, change: Change) -> bytes:
    """The stream of an answer whose ends were changed on the way."""
    encoder = answer.dialect.stream_encoder(answer.dialect.decode_request({**request, "stream": True}))
    return b"".join(map(encoder.encode, through(answer.dialect.stream_frames(answer), change))) + encoder.finish()


@pytest.mark.parametrize("change", [changed, own])
@pytest.mark.parametrize("name", DIALECTS)
def test_an_end_that_a_stage_changes_is_changed_on_streams_and_whole_answers(name: str, change: Change) -> None:
    dialect, request, body, before, after = DIALECTS[name]
    answer = dialect.decode_answer(msgspec.json.encode(body))
    for sent in (unary(answer, change), streamed(answer, request, change)):
        assert after in sent
        assert before not in sent


@pytest.mark.parametrize("name", DIALECTS)
def test_an_end_that_no_stage_changes_leaves_the_answer_as_it_came(name: str) -> None:
    dialect, request, body, before, _ = DIALECTS[name]
    answer = dialect.decode_answer(msgspec.json.encode(body))
    assert unary(answer, lambda end: end) == answer.raw
    assert before in streamed(answer, request, lambda end: end)


@pytest.mark.parametrize("name", ["chat", "completions", "messages"])
def test_an_end_that_a_stage_keeps_back_is_missing_on_streams_and_whole_answers(name: str) -> None:
    dialect, request, body, before, _ = DIALECTS[name]
    answer = dialect.decode_answer(msgspec.json.encode(body))
    kept = [event for event in dialect.decompose(answer) if not isinstance(event, Finish)]
    assert before not in dialect.encode_answer(dialect.recompose(answer, kept))
    encoder = dialect.stream_encoder(dialect.decode_request({**request, "stream": True}))
    frames = [event for event in dialect.stream_frames(answer) if not isinstance(event, Finish)]
    assert before not in b"".join(map(encoder.encode, frames)) + encoder.finish()


@pytest.mark.parametrize("name", DIALECTS)
def test_the_ends_alone_are_those_of_the_whole(name: str) -> None:
    dialect, _, body, _, _ = DIALECTS[name]
    answer = dialect.decode_answer(msgspec.json.encode(body))
    assert list(dialect.ends(answer)) == [event for event in dialect.decompose(answer) if isinstance(event, Finish)]
