"""Embeddings: inputs are the caller's text, vectors are nobody's, and nothing is streamed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Opaque
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer, Request
from sentinel_core.testing.replies import completion
from sentinel_core.usage import Usage

TEXT = st.text(max_size=4)
JSON = st.none() | st.booleans() | st.integers() | TEXT | st.dictionaries(TEXT, TEXT | st.lists(TEXT), max_size=2)
UNKNOWN = st.dictionaries(TEXT.map("x_".__add__), JSON, max_size=3)
VECTORS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=3) | st.just("AACAPw==")
TOKENS = st.lists(st.integers(0, 100_000), min_size=1, max_size=3)
INPUTS = TEXT | st.lists(TEXT, min_size=1, max_size=3) | TOKENS | st.lists(TOKENS, min_size=1, max_size=2)
USAGE = {"prompt_tokens": 3, "total_tokens": 3}


@pytest.mark.parametrize(
    "usage", [USAGE, {"prompt_tokens": 3}, {"prompt_tokens": 3, "completion_tokens": None}, {"total_tokens": 3}]
)
def test_u26_what_is_embedded_is_all_that_there_is_to_count(usage: JsonObject) -> None:
    body = {"data": [{"embedding": [0.5]}], "usage": usage}
    assert OPENAI_EMBEDDINGS.decode_answer(msgspec.json.encode(body)).usage == Usage(3, 0, 3)


def request(**fields: JsonValue) -> Request:
    return OPENAI_EMBEDDINGS.decode_request({"model": "m", "input": "x", **fields})


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    data = [
        {"object": "embedding", "index": index, "embedding": draw(VECTORS), **draw(UNKNOWN)}
        for index in range(draw(st.integers(1, 3)))
    ]
    body = {"object": "list", "data": data, "model": "m", "usage": USAGE, **draw(UNKNOWN)}
    return OPENAI_EMBEDDINGS.decode_answer(msgspec.json.encode(body))


@given(INPUTS, st.sampled_from(["float", "base64"]), UNKNOWN)
def test_every_form_of_an_input_and_every_other_field_reaches_the_upstream(
    content: JsonValue, encoding: str, unknown: JsonObject
) -> None:
    body = {"input": content, "model": "a", "encoding_format": encoding, "dimensions": 2, **unknown}
    sent = msgspec.json.decode(OPENAI_EMBEDDINGS.encode_request(OPENAI_EMBEDDINGS.decode_request(body), "b"))
    assert repr(sent) == repr({**body, "model": "b"})


@given(INPUTS)
def test_guards_read_every_string_of_an_input(content: JsonValue) -> None:
    expected = [content] if isinstance(content, str) else [item for item in content if isinstance(item, str)]
    slots = request(input=content).texts()
    assert [(slot.text, slot.role, slot.kind) for slot in slots] == [(text, "user", "content") for text in expected]


def test_a_changed_input_is_patched_in_its_place() -> None:
    asked = request(input=["a", "secret"], user="u")
    assert asked.with_texts({("input", 1): "***"}).body == {"model": "m", "input": ["a", "***"], "user": "u"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input", None),
        ("input", []),
        ("input", {}),
        ("stream", True),
        ("dimensions", 0),
        ("dimensions", "3"),
        ("encoding_format", 1),
    ],
)
def test_a_parameter_that_is_not_allowed_is_refused_by_name(name: str, value: JsonValue) -> None:
    with pytest.raises(Refusal) as caught:
        request(**{name: value})
    assert (caught.value.code, caught.value.param) == ("invalid_parameter", name)


@given(answers())
def test_an_answer_leaves_as_it_came_and_survives_its_own_events(given_answer: Answer) -> None:
    assert OPENAI_EMBEDDINGS.encode_answer(given_answer) == given_answer.raw
    assert OPENAI_EMBEDDINGS.recompose(given_answer, OPENAI_EMBEDDINGS.decompose(given_answer)) == given_answer
    assert (given_answer.operation, given_answer.usage) == ("embedding", Usage(3, 0, 3))


@given(answers())
def test_every_string_but_a_vector_can_be_replaced(given_answer: Answer) -> None:
    texts = {slot.path: "***" for slot in given_answer.texts() if slot.kind != "key"}
    after = given_answer.with_texts(texts)
    assert [item["embedding"] for item in after.body["data"]] == [
        item["embedding"] for item in given_answer.body["data"]
    ]
    assert all(slot.text == "***" for slot in after.texts() if slot.kind != "key")


def test_a_vector_that_is_none_is_read_like_any_other_member() -> None:
    data = [{"embedding": {"leak": 1.0}}, {"embedding": [["x"]]}, {"embedding": [1, 2.5]}]
    found = OPENAI_EMBEDDINGS.answer_texts({"data": data})
    assert [slot.text for slot in found] == ["leak", "x"]


def test_a_stream_stage_can_take_an_unknown_string_out_of_an_answer() -> None:
    raw = b'{"data":[{"embedding":[1.0],"x":"secret"}]}'
    given_answer = OPENAI_EMBEDDINGS.decode_answer(raw)
    kept = [event for event in OPENAI_EMBEDDINGS.decompose(given_answer) if not isinstance(event, Opaque)]
    assert b"secret" not in OPENAI_EMBEDDINGS.encode_answer(OPENAI_EMBEDDINGS.recompose(given_answer, kept))


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{}", b'{"data":[]}', b'{"data":[1]}', b'{"data":[{}]}', b'{"data":[{"embedding":[]}]}', b"<p>"],
)
def test_u12_what_is_no_embedding_is_an_invalid_response(raw: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        OPENAI_EMBEDDINGS.decode_answer(raw)
    assert caught.value.code == "upstream_invalid_response"


def test_u13_an_error_with_status_200_is_raised() -> None:
    with pytest.raises(UpstreamError, match="slow down") as caught:
        OPENAI_EMBEDDINGS.decode_answer(b'{"error":{"message":"slow down","code":429}}')
    assert caught.value.code == "rate_limit_exceeded"


def test_nothing_of_it_is_streamed() -> None:
    with pytest.raises(UpstreamError):
        OPENAI_EMBEDDINGS.stream_decoder()
    for use in (
        lambda: OPENAI_EMBEDDINGS.assemble(()),
        lambda: OPENAI_EMBEDDINGS.stream_frames(completion("x")),
        lambda: OPENAI_EMBEDDINGS.stream_encoder(request()),
    ):
        with pytest.raises(TypeError, match="no streams"):
            use()
