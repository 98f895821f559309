"""What a request to one of these routes says, or a clear 400."""

from __future__ import annotations

from functools import partial
from typing import TypeVar, cast

import msgspec

from sentinel_core.decoding import decode_json
from sentinel_core.endpoints import HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.keys import Principal

T = TypeVar("T")


def body(request: HttpRequest, kind: type[T]) -> T:
    """The body. Raises `Refusal`: invalid_parameter, and what `decode_json` raises."""
    return cast("T", decode_json(request.body, decode=partial(_valid, kind)))


def _valid(kind: type[T], raw: bytes) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Refusal("invalid_parameter", f"The request is not valid: {error}.") from None


def principal(request: HttpRequest) -> Principal:
    """Who asks. Routes for administrators are called by nobody else."""
    if request.principal is None:
        raise Refusal("not_found")
    return request.principal
