"""Which chunks of a stream commit to its answer: those that say something, wherever a host puts what else it knows."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.events import Opaque, TextDelta
from sentinel_core.json_types import JsonObject
from tests.core.dialects.chat_chunks import choice, chunk, decode

ROLE: JsonObject = {"role": "assistant", "content": ""}
REQUEST = OPENAI_CHAT.decode_request({"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]})
URL = {"url": "https://a.test", "title": "A"}
OPENINGS = {
    "openai": chunk(choice(ROLE, logprobs=None)),
    "groq": chunk(choice(ROLE), x_groq={"id": "req_01"}),
    "openrouter": chunk(choice({**ROLE, "reasoning": None, "reasoning_details": []}), provider="OpenAI"),
    "azure": chunk(choice(ROLE, content_filter_results={"hate": {"severity": "safe"}})),
    "empty members": chunk(choice({**ROLE, "reason": "", "images": []}), timings={"cache": "warm"}),
    "empty logprobs": chunk(choice(ROLE, logprobs={"content": [], "refusal": None}, native_finish_reason="x")),
    "azure's judgement": chunk(prompt_filter_results=[{"hate": {"severity": "safe"}}]),
}
SAID = {
    "an image": chunk(choice({"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]})),
    "an annotation": chunk(choice({"annotations": [{"type": "url_citation", "url_citation": URL}]})),
    "a thought": chunk(choice({"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]})),
    "probabilities": chunk(choice({}, logprobs={"content": [{"token": "a", "logprob": -1}]})),
}


@pytest.mark.parametrize("payload", OPENINGS.values(), ids=OPENINGS)
def test_an_opening_commits_to_nothing_whatever_else_a_host_tells_with_it(payload: bytes) -> None:
    decoder, encoder = OPENAI_CHAT.stream_decoder(), OPENAI_CHAT.stream_encoder(REQUEST)
    (event,) = decoder.decode(payload)
    assert not decoder.bears_content(event)
    assert encoder.encode(event)
    assert encoder.opens(event)


@pytest.mark.parametrize("payload", SAID.values(), ids=SAID)
def test_what_is_said_outside_the_channels_commits(payload: bytes) -> None:
    decoder, encoder = OPENAI_CHAT.stream_decoder(), OPENAI_CHAT.stream_encoder(REQUEST)
    (event,) = decoder.decode(payload)
    assert isinstance(event, Opaque)
    assert decoder.bears_content(event)
    assert encoder.encode(event)
    assert not encoder.opens(event)


def test_a_text_that_leaves_with_what_a_host_tells_does_not_wait() -> None:
    encoder = OPENAI_CHAT.stream_encoder(REQUEST)
    text, beside = decode(chunk(choice({"content": "a"}), x_groq={"id": "req_01"}))
    assert encoder.encode(text) == b""
    assert b'"a"' in encoder.encode(beside)
    assert not encoder.opens(beside)


def test_guards_read_what_commits_to_nothing() -> None:
    (event,) = decode(OPENINGS["groq"])
    assert isinstance(event, Opaque)
    assert "req_01" in [slot.text for slot in event.slots]


def test_of_completions_the_same_is_true() -> None:
    decoder = OPENAI_COMPLETIONS.stream_decoder()
    opening, thought = (
        chunk({"index": 0, "text": "", "finish_reason": None, **more}, provider="A")
        for more in ({}, {"reasoning": "hm"})
    )
    assert [decoder.bears_content(event) for event in decoder.decode(opening)] == [False]
    assert [decoder.bears_content(event) for event in decoder.decode(thought)] == [True]
    (text, beside) = decoder.decode(chunk({"index": 0, "text": "a", "finish_reason": None}, provider="A"))
    assert isinstance(text, TextDelta)
    assert (decoder.bears_content(text), decoder.bears_content(beside)) == (True, False)
