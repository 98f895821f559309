"""What a request to one of these routes says, or a clear 400."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from sentinel_core.decoding import is_utf8
from sentinel_core.endpoints import HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.keys import Principal

T = TypeVar("T")


def body(request: HttpRequest, kind: type[T]) -> T:
    """The body. Raises `Refusal`: invalid_json, invalid_utf8, invalid_parameter."""
    try:
        return msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        raise Refusal("invalid_parameter", f"The request is not valid: {error}.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):  # the last one until msgspec 0.22
        raise Refusal("invalid_json" if is_utf8(request.body) else "invalid_utf8") from None


def principal(request: HttpRequest) -> Principal:
    """Who asks. Routes for administrators are called by nobody else."""
    if request.principal is None:
        raise Refusal("not_found")
    return request.principal
