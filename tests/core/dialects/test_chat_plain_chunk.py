"""The usual chunk, written anew with another text: as the general way writes it, however the upstream did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat.plain_chunk import PLAIN, PLAIN_NULL_USAGE
from sentinel_core.events import Frame, TextDelta
from sentinel_core.json_types import JsonObject, JsonValue
from tests.core.dialects.chat_chunks import TOP, choice, decode, encode

SAID = st.text(min_size=1, max_size=4) | st.sampled_from(
    ["m", "c-1", "content", '"content":', "a\\", 'a"', '","x":"', "é"]
)


class Style(NamedTuple):
    """How an upstream writes JSON."""

    ascii: bool
    spaced: bool
    content_first: bool
    usage: bool

    def written(self, text: str, model: str, index: int) -> bytes:
        """One chunk."""
        choices = {"choices": [choice({"content": text}, index=index)]}
        top = {**TOP, "model": model}
        body: JsonObject = {**choices, **top} if self.content_first else {**top, **choices}
        if self.usage:
            body["usage"] = None
        separators = (", ", ": ") if self.spaced else (",", ":")
        return json.dumps(body, ensure_ascii=self.ascii, separators=separators).encode("utf-8", "surrogatepass")


STYLES = st.builds(Style, st.booleans(), st.booleans(), st.booleans(), st.booleans())
CHUNKS = st.builds(
    Style.written, STYLES, SAID.filter(str.isprintable), st.sampled_from(["m", "é", "a"]), st.integers(0, 1)
)


def sent(stream: Sequence[bytes], texts: Sequence[str], *, asked: bool) -> list[JsonValue]:
    """What a client reads where a guard has read all of it and left these texts."""
    changed = []
    for event, text in zip(decode(*stream), texts, strict=True):
        assert isinstance(event, TextDelta)
        assert isinstance(event.frame, Frame)
        assert event.frame.places in (PLAIN, PLAIN_NULL_USAGE)
        event.frame.reencode = True
        changed.append(event.with_text(text))
    return encode(changed, asked=asked)


@given(st.lists(st.tuples(CHUNKS, SAID), max_size=6), st.booleans())
def test_only_the_text_is_another(stream: list[tuple[bytes, str]], asked: bool) -> None:
    expected = []
    for payload, text in stream:
        body = msgspec.json.decode(payload)
        body["choices"][0]["delta"]["content"] = text
        if not asked:
            body.pop("usage", None)
        expected.append(body)
    found = sent([payload for payload, _ in stream], [text for _, text in stream], asked=asked)
    assert [json.dumps(body) for body in found] == [json.dumps(body) for body in expected]


PART = b'{"id":"c-1","choices":[{"index":0,"delta":{"content":"%s"}}],"model":"m"}'


@given(
    st.lists(
        st.sampled_from([b"a", b'b","content":"c', b'b"},"index":1,"delta":{"content":"c', b"\\\\", b'\\"']), min_size=2
    )
)
@example([b"a", b'b"},"index":1,"delta":{"content":"c'])
def test_of_a_repeated_key_only_what_was_read_leaves(parts: list[bytes]) -> None:
    """The bytes on both sides of the text are as in the chunk before; in between is more than a text."""
    stream = [PART % part for part in parts]
    for payload, body in zip(stream, sent(stream, ["*"] * len(stream), asked=True), strict=True):
        ((one,),) = (body["choices"],)
        assert one["delta"] == {"content": "*"}
        assert one["index"] == msgspec.json.decode(payload)["choices"][0]["index"]


def test_chunks_that_differ_elsewhere_are_told_apart() -> None:
    stream = [Style(True, False, False, False).written("a", model, 0) for model in ("m", "n", "mm", "m")]
    assert [body["model"] for body in sent(stream, ["*"] * 4, asked=True)] == ["m", "n", "mm", "m"]


def test_a_text_that_stands_elsewhere_too_is_not_mistaken() -> None:
    """Its own place is written with escapes, so that the first that reads the same is the model's."""
    stream = [PART.replace(b"%s", b"\\u006d"), PART.replace(b"%s", b"x")]
    for before, after in pairwise(sent(stream, ["1", "2"], asked=True)):
        assert (before["model"], after["model"]) == ("m", "m")
        assert [one["choices"][0]["delta"]["content"] for one in (before, after)] == ["1", "2"]
