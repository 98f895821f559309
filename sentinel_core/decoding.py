"""The one decode of every body: strict UTF-8, bounded depth, bounded number of values.

msgspec raises `RecursionError` past about 1,000 levels, and can overflow a small thread's stack before that, so the
depth is checked on the bytes first (msgspec #1033).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from sentinel_core.dialects.base import JsonLimits
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.json_types import JsonObject, JsonValue

__all__ = [
    "ANSWER_LIMITS",
    "BOM",
    "DEFAULT_LIMITS",
    "EVENT_LIMITS",
    "JsonLimits",
    "decode_json",
    "decode_reply",
    "decode_sent",
    "error_alone",
    "mended",
]

DEFAULT_LIMITS = JsonLimits()
ANY_SIZE = sys.maxsize
"""For what an upstream sent: whoever reads its bytes takes no more of them than its provider's configuration says."""
ANSWER_LIMITS = JsonLimits(ANY_SIZE, max_nodes=4_000_000)
EVENT_LIMITS = JsonLimits(ANY_SIZE, max_nodes=100_000)

_SHORT = 4096
"""Bytes of a body of which a copy costs less than two more scans."""
_HALF_A_PAIR = re.compile(rb"(?<!\\)(?:\\\\)*(\\u[dD][89abAB][0-9A-Fa-f]{2})(?=[^\\]|\\[^u])")
"""msgspec calls a body truncated where the second half of a surrogate pair should begin and a text goes on or ends."""
BOM = b"\xef\xbb\xbf"
_HEX = rb"[0-9A-Fa-f]{2}"
_PAIR_OR_HALF = re.compile(rb"\\\\|\\u[dD](?:[89abAB]%b(?:\\u[dD][c-fC-F]%b)?|[c-fC-F]%b)" % (_HEX, _HEX, _HEX))
_HALF_BYTES = len(rb"\ud83d")
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_decode = msgspec.json.Decoder().decode
_decode_any_number = msgspec.json.Decoder(float_hook=float).decode


def decode_json(
    raw: bytes,
    limits: JsonLimits = DEFAULT_LIMITS,
    decode: Callable[[bytes], Any] = _decode,  # a decoder of any type
) -> JsonValue:
    """Decode one JSON document; `decode` may be a decoder of a type of its own.

    Raises `Refusal`: request_too_large, json_too_deep, invalid_utf8 or invalid_json. Of repeated object keys the
    last one counts, for us and, since bodies are re-encoded, for every upstream alike.
    """
    if len(raw) > limits.max_bytes:
        raise Refusal("request_too_large")
    _check_shape(raw, limits)
    try:
        return decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:  # the latter until msgspec 0.22
        if not is_utf8(raw):
            raise Refusal("invalid_utf8") from None
        raise Refusal("invalid_json", f"The request body is not valid JSON: {_told(raw, str(exc))}") from None
    except RecursionError:
        raise Refusal("json_too_deep") from None


def _told(raw: bytes, found: str) -> str:
    """What is wrong with a document, as its writer may look for it."""
    half = _HALF_A_PAIR.search(raw) if "truncated" in found else None
    return found if half is None else f"half of a surrogate pair (byte {half.start(1)})"


def decode_sent(raw: bytes, limits: JsonLimits, decode: Callable[[bytes], Any] | None = None) -> Any:  # any JSON
    """Decode what an upstream sent. Raises as `decode_json`, but what its own clients read costs no caller an answer
    that was paid for: a byte order mark ahead of it is skipped, half of a surrogate pair becomes U+FFFD (U10), and a
    number beyond all floats (`1e400`), which JSON allows, infinity (U26), unless `decode` is given."""
    try:
        return decode_json(raw, limits, decode or _decode)
    except Refusal as refused:
        if refused.code != "invalid_json":
            raise
    return decode_json(mended(raw), limits, decode or _decode_any_number)


def mended(raw: bytes) -> bytes:
    """What an upstream sent, as JSON to everybody: what is handed on as it came is decoded by stricter clients too."""
    if b"\\ud" in raw or b"\\uD" in raw:
        raw = _PAIR_OR_HALF.sub(_whole_character, raw)
    return raw.removeprefix(BOM)


def _whole_character(found: re.Match[bytes]) -> bytes:
    """A pair, or an escaped backslash, as it is."""
    return rb"\ufffd" if len(found[0]) == _HALF_BYTES else found[0]


def decode_reply(raw: bytes, limits: JsonLimits = DEFAULT_LIMITS) -> JsonObject:
    """Decode the object that an upstream sent. Raises `UpstreamError` (upstream_invalid_response) for anything else,
    but for an array of one error: that is the error, as Gemini's imitation of OpenAI sends it."""
    try:
        body = decode_sent(raw, limits)
    except Refusal:
        raise UpstreamError("upstream_invalid_response") from None
    body = error_alone(body)
    if not isinstance(body, dict):
        raise UpstreamError("upstream_invalid_response")
    return body


def error_alone(body: JsonValue) -> JsonValue:
    """The body; where that is an array of one error, the error."""
    alone = isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict) and body[0].get("error")
    return body[0] if alone else body


def is_utf8(raw: bytes) -> bool:
    """Whether bytes are text at all."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_shape(raw: bytes, limits: JsonLimits) -> None:
    """Refuse what is too deep or has too many values, without decoding it.

    Counting brackets and commas bounds both from above, so a short body costs one scan in C and an ordinary one three;
    only a body that could exceed a limit is looked at with its strings removed.
    """
    if len(raw) <= _SHORT and len(raw) - len(raw.translate(None, b"{[,")) <= min(limits.max_depth, limits.max_nodes):
        return
    opened = raw.count(b"{") + raw.count(b"[")
    if opened <= limits.max_depth and opened + raw.count(b",") <= limits.max_nodes:
        return
    most = 2 * limits.max_nodes + 1  # each value and its key may be a string; looking for more would take its time
    bare, strings = _STRINGS.subn(b"", raw, count=most + 1)
    opened = bare.count(b"{") + bare.count(b"[")
    if strings > most or opened + bare.count(b",") > limits.max_nodes:
        raise Refusal("request_too_large", f"The request body has more than {limits.max_nodes} values.")
    if opened > limits.max_depth and _deeper_than(bare, limits.max_depth):
        raise Refusal("json_too_deep", f"The request body nests deeper than {limits.max_depth} levels.")


def _deeper_than(bare: bytes, depth: int) -> bool:
    """Whether brackets nest deeper than `depth`; text without strings in, every step runs in C.

    Both kinds of brackets count as one, and each round removes the innermost pairs, so what is left after `depth`
    rounds nests deeper. Closing brackets too many are refused first: each round would copy them all.
    """
    brackets = bare.translate(_SQUARE, _NOT_BRACKETS)
    if 2 * brackets.count(b"[") < len(brackets):
        raise Refusal("invalid_json")
    for _ in range(depth):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
