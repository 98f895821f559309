"""The one bounded decode: any bytes give a value or a refusal, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.decoding import ANSWER_LIMITS, EVENT_LIMITS, JsonLimits, decode_json, decode_reply
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal, UpstreamError
from tests.json_values import json_values
from tests.long_form import long_form

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = json_values(SCALARS, st.text(), levels=4, width=3)
BRACKETS = st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\\", b",", b":", b"1", b'"[{"', b" "])).map(
    b"".join
)


def code(raw: bytes, limits: JsonLimits | None = None) -> str:
    """The refusal's code, "" where the bytes decode."""
    try:
        decode_json(raw, limits or JsonLimits())
    except Refusal as refusal:
        return refusal.code
    return ""


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(st.binary() | BRACKETS)
def test_any_bytes_decode_or_are_refused(raw: bytes) -> None:
    assert code(raw, JsonLimits(max_depth=3)) in ("", "invalid_json", "invalid_utf8", "json_too_deep")


@given(JSON)
def test_a_document_decodes_to_what_was_written(value: Any) -> None:  # any JSON
    assert decode_json(json.dumps(value).encode()) == value


@given(JSON, st.integers(0, 4))
def test_the_depth_check_agrees_with_a_recursive_count(value: Any, most: int) -> None:  # any JSON
    refused = code(json.dumps(value).encode(), JsonLimits(max_depth=most)) == "json_too_deep"
    assert refused == (depth(value) > most)


@given(st.text(alphabet='[]{}"\\,', max_size=200))
def test_brackets_inside_strings_are_not_counted(text: str) -> None:
    assert decode_json(json.dumps([text]).encode(), JsonLimits(max_depth=1, max_nodes=2)) == [text]


@pytest.mark.parametrize("levels", [65, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_h20_deep_json_is_refused(levels: int, opening: bytes, closing: bytes) -> None:
    deep = opening * levels + b"1" + closing * levels
    assert code(b'{"unknown":' + deep + b"}") == "json_too_deep"


def test_h20_the_deepest_allowed_document_passes() -> None:
    assert code(b"[" * 64 + b"]" * 64) == ""
    assert code(b"[" * 65 + b"]" * 65) == "json_too_deep"


def test_h20_closing_brackets_too_many_are_refused_before_they_cost_anything() -> None:
    assert code(b"[" * 65 + b"]" * 100_000) == "invalid_json"


@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b",".join([b"{}"] * 300_000) + b"]",
        b"{" + b",".join(b'"%d":1' % number for number in range(300_000)) + b"}",
        b"[" * 65 + b'""' * 600_000,
    ],
    ids=["objects", "keys", "strings"],
)
def test_h21_too_many_values_are_refused(raw: bytes) -> None:
    assert code(raw) == "request_too_large"


def test_h22_of_repeated_keys_the_last_counts_for_us_and_for_the_upstream() -> None:
    raw = b'{"model":"a","messages":[{"role":"user","content":"x"}],"model":"b"}'
    request = OPENAI_CHAT.decode_request(decode_json(raw))
    assert request.model == "b"
    assert OPENAI_CHAT.encode_request(request, "b").count(b'"model"') == 1


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a":"\xff"}', "invalid_utf8"),
        (b'{"\xff":1}', "invalid_utf8"),
        (b'"\xed\xa0\x80"', "invalid_utf8"),
        (b'"\\ud800"', "invalid_json"),
        (b'{"\\udc00\\ud800":1}', "invalid_json"),
        (b'{"a":"\x00"}', "invalid_json"),
        (b"\xef\xbb\xbf{}", "invalid_json"),
        (b'{"a":1,}', "invalid_json"),
        (b"NaN", "invalid_json"),
        (b'{"a":-Infinity}', "invalid_json"),
        (b"1e400", "invalid_json"),
        (b"1" * 5_000, "invalid_json"),
        (b"", "invalid_json"),
        (b"{} {}", "invalid_json"),
    ],
)
def test_h23_what_is_not_json_is_refused(raw: bytes, expected: str) -> None:
    assert code(raw) == expected


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (rb'"ab\ud83d"', "half of a surrogate pair (byte 3)"),
        (rb'{"a":["\\\ud83d"]}', "half of a surrogate pair (byte 9)"),
        (rb'"\uD83D\n"', "half of a surrogate pair (byte 1)"),
        (rb'"\\ud83d', "Input data was truncated"),
        (rb'"ab\ud83d', "Input data was truncated"),
        (rb'"\ud83d\ude00', "Input data was truncated"),
    ],
)
def test_h23_half_of_a_surrogate_pair_is_named(raw: bytes, told: str) -> None:
    with pytest.raises(Refusal) as raised:
        decode_json(raw)
    assert (raised.value.code, str(raised.value)) == (
        "invalid_json",
        f"invalid_json: The request body is not valid JSON: {told}",
    )


def test_h23_a_large_integer_reaches_the_upstream_as_it_is() -> None:
    assert msgspec.json.encode(decode_json(b"1" * 400)) == b"1" * 400


def test_h26_one_byte_over_the_cap_is_refused() -> None:
    assert code(b'"abc"', JsonLimits(max_bytes=5)) == ""
    assert code(b'"abcd"', JsonLimits(max_bytes=5)) == "request_too_large"


@long_form
@pytest.mark.parametrize("limits", [ANSWER_LIMITS, EVENT_LIMITS], ids=["answer", "event"])
def test_u22_how_large_a_reply_may_be_is_not_decided_here(limits: JsonLimits) -> None:
    text = "x" * (65 << 20)  # above the default of a provider's `max_response_bytes`
    assert len(decode_reply(f'{{"a":"{text}"}}'.encode(), limits)["a"]) == len(text)


def read(raw: bytes) -> str:
    """What an upstream's bytes are: the name of a type, or the code of an error."""
    try:
        return type(decode_reply(raw)).__name__
    except UpstreamError as error:
        return error.code


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_an_upstreams_object_decodes_to_what_was_written(value: dict[str, Any]) -> None:  # any JSON
    assert decode_reply(msgspec.json.encode(value)) == value


@pytest.mark.parametrize("body", ["[]", "[1]", "[{}]", '[{"a":1}]', '[{"error":1},{"error":2}]', '[{"error":null}]'])
def test_u12_an_array_is_no_object_of_an_upstream_unless_it_wraps_one_error(body: str) -> None:
    assert read(body.encode()) == "upstream_invalid_response"
    assert decode_reply(b'[{"error":{"code":429}}]') == {"error": {"code": 429}}


@given(st.binary() | BRACKETS | st.sampled_from([b'{"a":1e400,"b":"\xff"}', b'{"a":1e400', b'{"a":1e400}x']))
def test_u12_any_bytes_of_an_upstream_are_an_object_or_an_upstream_error(raw: bytes) -> None:
    assert read(raw) in ("dict", "upstream_invalid_response")


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        (rb"good \ud83d", "good \ufffd"),
        (rb"\uDE42 good", "\ufffd good"),
        (rb"\ud83d\ud83d\ude42", "\ufffd\U0001f642"),
        (rb"\ud83d\\ude42", "\ufffd\\ude42"),
        (rb"\\ud83d", "\\ud83d"),
        (rb"\ud83d\u00e9", "\ufffdé"),
        (rb"\\\ud83d\n", "\\\ufffd\n"),
    ],
)
def test_u10_half_of_a_surrogate_pair_costs_an_upstreams_answer_one_character(sent: bytes, read_as: str) -> None:
    """As where an answer was cut off in UTF-16: JavaScript, Python and Go read it."""
    assert decode_reply(b'{"a":"%s"}' % sent) == {"a": read_as}


@given(st.lists(st.sampled_from([rb"\ud83d", rb"\ude42", rb"\\", rb"\n", rb"\u00e9", b"u", b"d83d", "é".encode()])))
def test_u10_halves_are_what_python_reads_as_such(parts: list[bytes]) -> None:
    raw = b'{"a":"%s"}' % b"".join(parts)
    said = json.loads(raw)["a"]
    assert decode_reply(raw) == {"a": "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in said)}


@pytest.mark.parametrize("broken", [rb"\ud8", rb"\ud83", rb"\ud83d\ud", rb"\ud83d\x"])
def test_u12_what_is_no_half_of_a_pair_is_no_character(broken: bytes) -> None:
    assert read(b'{"a":"%s"}' % broken) == "upstream_invalid_response"


def test_u10_a_byte_order_mark_ahead_of_an_upstreams_answer_is_skipped() -> None:
    assert decode_reply(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert read(b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}') == "upstream_invalid_response"


def test_u26_a_number_beyond_all_floats_is_infinite_for_an_upstream_and_refused_of_a_client() -> None:
    assert decode_reply(b'{"a":1e400,"b":-1e400,"c":1.5}') == {"a": float("inf"), "b": float("-inf"), "c": 1.5}
    assert code(b'{"a":1e400}') == "invalid_json"
    deep = b'{"a":1e400,"b":' * 100 + b"1" + b"}" * 100
    assert read(deep) == "upstream_invalid_response"
