"""What somebody asks: a request's id, and its body as a call in process hands it over."""

from __future__ import annotations

import random
from collections.abc import Mapping
from math import isfinite
from typing import Any, TypeAlias

import msgspec

from sentinel_core.decoding import JsonLimits, decode_json
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping, JsonValue

Body: TypeAlias = JsonMapping | bytes
"""A request's body: JSON as bytes, or already decoded."""


def new_id() -> str:
    """A request id: 24 hexadecimal digits, unique enough for logs, not a secret."""
    return random.getrandbits(96).to_bytes(12).hex()


def decoded(body: Body, limits: JsonLimits, *, stream: bool) -> JsonValue:
    """The body's JSON within these limits, asking for a stream or not. Raises `Refusal`."""
    value = decode_json(body if isinstance(body, bytes) else _encoded(body), limits)
    if isinstance(value, dict) and bool(value.get("stream")) is not stream:
        value = {**value, "stream": stream}
    return value


def _encoded(body: JsonMapping) -> bytes:
    """A body of this process as JSON: what cannot be sent is refused as it would be over HTTP."""
    try:
        encoded = msgspec.json.encode(body, enc_hook=_object)
        if b"null" in encoded and not _finite(msgspec.to_builtins(body, enc_hook=_object)):
            raise ValueError("NaN and Infinity are encoded as null")
    except UnicodeEncodeError:
        raise Refusal("invalid_utf8") from None
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        raise Refusal("invalid_json", "The request holds a value that JSON does not have.") from None
    return encoded


def _object(value: Any) -> dict[Any, Any]:  # whatever a host has in a body
    """A mapping that is no dict as one: msgspec asks for what it does not know itself."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"JSON has no {type(value).__name__}")


def _finite(value: Any) -> bool:  # JSON, but for its numbers
    """Whether every number in it is one that JSON has."""
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    return not isinstance(value, list | tuple) or all(map(_finite, value))
