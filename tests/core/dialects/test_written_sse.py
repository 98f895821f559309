"""P8: whatever dirt an upstream's stream has, what leaves is canonical: nothing but events, each on one line of data,
under its name where the format has names, and the JSON that came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.sse import SseParser
from sentinel_core.json_types import JsonMapping, JsonValue
from tests.properties import promised
from tests.upstream import DONE, USAGE, chat_stream, chunk, delta, sse
from tests.upstream.anthropic import message_stream, text_block, thinking_block, tool_block
from tests.upstream.payloads import response_stream, text_stream

TRAPS = st.sampled_from(["\n\ndata: [DONE]\n\n", "\r", "\u2028", ": x", "é🙂", "\x00", "\ufeff"])
texts = st.lists(st.text(max_size=5) | TRAPS, min_size=1, max_size=3)


@dataclass(frozen=True)
class Format:
    """A dialect that is streamed as server-sent events, a request for a stream, and streams of it, an event an item."""

    dialect: Dialect
    request: JsonMapping
    wires: st.SearchStrategy[Sequence[bytes]]
    named: bool


def called(fragments: Sequence[str]) -> list[bytes]:
    """Deltas of one tool's call in OpenAI's chunks."""
    head = {"index": 0, "id": "c", "type": "function", "function": {"name": "w", "arguments": ""}}
    rest = [{"index": 0, "function": {"arguments": part}} for part in fragments]
    return [sse(delta(tool_calls=[part])) for part in (head, *rest)]


INCLUDED = {"include_usage": True}
MESSAGE = [{"role": "user", "content": "hi"}]
FORMATS = {
    "chat": Format(
        OPENAI_CHAT,
        {"messages": MESSAGE, "stream_options": INCLUDED},
        st.builds(
            lambda said, thought, made: [
                *chat_stream(*said, finish=None, done=False),
                *(sse(delta(reasoning_content=text)) for text in thought),
                *called(made),
                sse(delta(finish="tool_calls")),
                sse(chunk([], usage=USAGE)),
                DONE,
            ],
            texts,
            texts,
            texts,
        ),
        named=False,
    ),
    "completions": Format(
        OPENAI_COMPLETIONS,
        {"prompt": "hi", "stream_options": INCLUDED},
        texts.map(lambda said: text_stream(*said, usage=True)),
        named=False,
    ),
    "responses": Format(OPENAI_RESPONSES, {"input": "hi"}, texts.map(lambda said: response_stream(*said)), named=True),
    "messages": Format(
        ANTHROPIC_MESSAGES,
        {"max_tokens": 9, "messages": MESSAGE},
        st.builds(
            lambda said, thought, made: message_stream(
                blocks=[thinking_block(0, *thought), text_block(1, *said), tool_block(2, "t", "w", *made)]
            ),
            texts,
            texts,
            texts,
        ),
        named=True,
    ),
}
DIRT = st.sampled_from([b": hi", b"id: 7", b"retry: 5", b"data:", b"", b"event: ping", b"x: 1"])
"""Each is followed by a blank line."""


@st.composite
def dirty(draw: st.DrawFn, wires: st.SearchStrategy[Sequence[bytes]]) -> tuple[bytes, bytes, list[bytes]]:
    """A stream; the same with dirt between its events and other line ends; that, cut anywhere."""
    wire = draw(wires)
    bom = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    field = draw(st.sampled_from([b"data: {", b"data:{", b"data: {\ndata:"]))
    dirt = bom
    for event in wire:
        dirt += b"".join(noise + b"\n\n" for noise in draw(st.lists(DIRT, max_size=2)))
        dirt += re.sub(rb"^data: \{", field, event, flags=re.MULTILINE)
    dirt = dirt.replace(b"\n", draw(st.sampled_from([b"\n", b"\r\n", b"\r"])))
    places = draw(st.lists(st.integers(min_value=0), max_size=10))
    at = sorted({0, len(dirt), *(place % (len(dirt) + 1) for place in places)})
    return b"".join(wire), dirt, [dirt[start:end] for start, end in pairwise(at)]


def written(form: Format, pieces: Sequence[bytes]) -> bytes:
    """What the client of this format is sent."""
    parser, decoder = SseParser(), form.dialect.stream_decoder()
    encoder = form.dialect.stream_encoder(form.dialect.decode_request({"model": "m", "stream": True, **form.request}))
    payloads = [event for piece in pieces for event in parser.feed(piece)] + parser.close()
    events = [event for data, name in payloads if data for event in decoder.decode(data, name)]
    decoder.end()
    return b"".join(map(encoder.encode, events)) + encoder.finish()


def payloads_of(wire: bytes) -> list[JsonValue]:
    """The payloads of a stream that mean something, decoded."""
    found = [event.data for event in SseParser().feed(wire)]
    decoded = [json.loads(data) for data in found if data != b"[DONE]"]
    return [each for each in decoded if each.get("type") != "ping"]


@pytest.mark.parametrize("name", FORMATS)
@promised()
@given(st.data())
def test_p8_what_leaves_is_canonical_and_the_same_wherever_it_was_cut(name: str, data: st.DataObject) -> None:
    form = FORMATS[name]
    clean, dirt, pieces = data.draw(dirty(form.wires))
    sent = written(form, pieces)
    assert sent == written(form, [dirt])
    event = rb"event: [a-z_.]+\ndata: [^\r\n]+\n\n" if form.named else rb"data: [^\r\n]+\n\n"
    assert re.fullmatch(b"(" + event + b")+", sent)
    assert payloads_of(sent) == payloads_of(clean)
    assert written(form, [sent]) == sent, "a gateway behind a gateway changes nothing"
