"""The `echo` provider's other operations: prompts said again, and vectors that follow from the text alone."""

from __future__ import annotations

import base64
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.errors import Refusal
from sentinel_core.events import Finish
from sentinel_core.json_types import JsonValue
from sentinel_core.keys import Target
from sentinel_plugins.providers.echo.config import EchoConfig
from sentinel_plugins.providers.echo.embedding import unit_vector
from sentinel_plugins.providers.echo.provider import EchoProvider
from tests.plugins.providers.calls import Nobody, answer_of, drained, stream_of, text_of

ECHO = EchoProvider(EchoConfig())


def call(dialect: Dialect, **fields: JsonValue) -> Call:
    request = dialect.decode_request({"model": "echo", **fields})
    return Call(request, Target("echo", "echo"), Nobody(), attempt=1)


async def said(**fields: JsonValue) -> list[tuple[str, str]]:
    """Each choice's text and finish reason, the same in a stream and in one answer."""
    body = (await answer_of(ECHO, call(OPENAI_COMPLETIONS, **fields))).body
    events, error = await drained(await stream_of(ECHO, call(OPENAI_COMPLETIONS, stream=True, **fields)))
    streamed = [(text_of(events, end.choice), end.reason) for end in events if isinstance(end, Finish)]
    found = [(choice["text"], choice["finish_reason"]) for choice in body["choices"]]
    assert (streamed, error, body["model"]) == (found, None, "echo")
    return found


async def test_s1_08_a_prompt_goes_on_as_itself_streamed_or_not() -> None:
    assert await said(prompt="one two  three") == [("one two  three", "stop")]
    assert await said(prompt=["a", "b"], n=2) == [("a", "stop")] * 2 + [("b", "stop")] * 2
    assert await said(prompt=[[1, 2], [3]]) == [("1 2", "stop"), ("3", "stop")]
    assert await said(prompt=[1, 2]) == [("1 2", "stop")]
    assert await said(prompt="") == [("", "stop")]


async def test_a_prompt_is_cut_by_its_limit_and_its_stop_sequences() -> None:
    assert await said(prompt="one two three", max_tokens=2) == [("one two ", "length")]
    assert await said(prompt="one two three", max_tokens=0) == [("", "length")]
    assert await said(prompt="one two three", stop=["three", "two"]) == [("one ", "stop")]


async def test_a_completion_counts_its_tokens() -> None:
    answer = await answer_of(ECHO, call(OPENAI_COMPLETIONS, prompt=["a b", "c"], n=2))
    assert answer.body["usage"] == {"prompt_tokens": 3, "completion_tokens": 6, "total_tokens": 9}


@given(st.text(), st.integers(1, 64))
def test_a_vector_has_length_one_and_follows_from_the_text_alone(text: str, size: int) -> None:
    vector = unit_vector(text, size)
    assert len(vector) == size
    assert math.isclose(math.fsum(number * number for number in vector), 1)
    assert vector == unit_vector(text, size) != unit_vector(text + "x", size) or size == 1


async def test_embeddings_as_numbers_and_in_base64_are_the_same() -> None:
    plain = (await answer_of(ECHO, call(OPENAI_EMBEDDINGS, input=["a", "b"], dimensions=3))).body
    packed = (await answer_of(ECHO, call(OPENAI_EMBEDDINGS, input="a", dimensions=3, encoding_format="base64"))).body
    assert [item["index"] for item in plain["data"]] == [0, 1]
    assert struct.unpack("<3f", base64.b64decode(packed["data"][0]["embedding"])) == pytest.approx(
        plain["data"][0]["embedding"]
    )
    assert (plain["model"], plain["usage"]) == ("echo", {"prompt_tokens": 2, "total_tokens": 2})
    assert len((await answer_of(ECHO, call(OPENAI_EMBEDDINGS, input=[1, 2]))).body["data"][0]["embedding"]) == 256


async def test_a_short_body_does_not_cost_gigabytes() -> None:
    with pytest.raises(Refusal, match="request_too_large"):
        await ECHO.call(call(OPENAI_EMBEDDINGS, input=["a", "b"], dimensions=600_000))
