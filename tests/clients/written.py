"""Streams as the gateway writes them, and what a reader of them has to find."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.sse import SseParser
from sentinel_core.errors import ERRORS, SentinelError
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_server.sse import COMMENT
from tests.upstream import USAGE, chat_stream, chunk, delta, sse
from tests.upstream.anthropic import block, ending, opening, text_block, thinking_block, tool_block

TRAPS = ["\u2028", "\r\n\r\n", "data: [DONE]\n\n", ": x", "é🙂", "\x00", "\ufeff"]
TEXT = st.text(max_size=8) | st.sampled_from(TRAPS)
FRAGMENTS = st.lists(TEXT, max_size=3)
UNKNOWN: st.SearchStrategy[JsonObject] = st.dictionaries(
    st.from_regex(r"x_[a-z]{1,4}", fullmatch=True), st.integers(-9, 9) | TEXT, max_size=1
)
ERROR = st.builds(SentinelError, st.sampled_from(sorted(ERRORS)), TEXT.filter(str.strip))
MESSAGES = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True)
class Written:
    """`pieces` are the bytes as they reach a client's parser, `objects` the JSON of every event, `error` the end."""

    pieces: Sequence[bytes]
    objects: Sequence[JsonValue]
    error: SentinelError | None


@st.composite
def written_chats(draw: st.DrawFn) -> Written:
    """A chat's stream: texts, reasoning, tool calls, two choices, usage, unknown members."""
    choices = draw(st.lists(st.integers(0, 1), min_size=1, max_size=2, unique=True))
    chunks = [delta(index=index, role="assistant", **draw(UNKNOWN)) for index in choices]
    for index in choices:
        chunks += [delta(text, index=index) for text in draw(FRAGMENTS)]
        chunks += [delta(index=index, reasoning_content=text) for text in draw(FRAGMENTS)]
        chunks += [delta(index=index, tool_calls=[call]) for call in _calls(draw(FRAGMENTS))]
    chunks += [delta(index=index, finish="stop") for index in choices]
    chunks.append(chunk([], usage=USAGE, **draw(UNKNOWN)))
    upstream = b"".join([*map(sse, chunks), *chat_stream()[-1:]])
    return _written(draw, OPENAI_CHAT, upstream, {"stream_options": {"include_usage": True}})


@st.composite
def written_messages(draw: st.DrawFn) -> Written:
    """A message's stream: a thought, a text, a tool's call."""
    call = json.dumps({"city": draw(TEXT)})
    cut = draw(st.integers(0, len(call)))
    blocks = [
        thinking_block(0, *draw(FRAGMENTS)),
        text_block(1, *draw(FRAGMENTS)),
        tool_block(2, "toolu_1", "weather", call[:cut], call[cut:]),
        block(3, {"type": "redacted_thinking", "data": "blob"}),
    ]
    upstream = b"".join([opening(), *(event for part in blocks for event in part), *ending("tool_use")])
    return _written(draw, ANTHROPIC_MESSAGES, upstream, {"max_tokens": 9})


def _calls(fragments: Sequence[str]) -> list[JsonObject]:
    function = {"name": "weather", "arguments": ""}
    calls = [{"index": 0, "id": "call_1", "type": "function", "function": function}]
    return calls + [{"index": 0, "function": {"arguments": text}} for text in fragments]


def _written(draw: st.DrawFn, dialect: Dialect, upstream: bytes, asked: JsonObject) -> Written:
    """The stream's way through the gateway: whole, or broken off by an error; silent now and then; cut anywhere."""
    encoder = dialect.stream_encoder(
        dialect.decode_request({"model": "m", "stream": True, "messages": MESSAGES, **asked})
    )
    decoder, arrived = dialect.stream_decoder(), SseParser().feed(upstream)
    error = draw(st.none() | ERROR)
    if error is not None:
        arrived = arrived[: draw(st.integers(1, len(arrived) - 1))]
    frames = [encoder.encode(event) for data, name in arrived for event in decoder.decode(data, name)]
    frames.append(encoder.finish() if error is None else encoder.fail(error))
    objects = [json.loads(data) for data, _ in arrived if data != b"[DONE]"]
    return Written(_cut(draw, _with_silences(draw, frames)), objects, error)


def _with_silences(draw: st.DrawFn, frames: Iterable[bytes]) -> bytes:
    return b"".join(COMMENT + frame if draw(st.booleans()) else frame for frame in frames)


def _cut(draw: st.DrawFn, wire: bytes) -> list[bytes]:
    places = draw(st.lists(st.integers(0, len(wire)), max_size=12))
    return [wire[start:end] for start, end in pairwise(sorted({0, len(wire), *places}))]
