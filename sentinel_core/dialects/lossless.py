"""Bodies that leave as they came, which is the same in every dialect."""

from __future__ import annotations

import msgspec

from sentinel_core.messages import Answer, Request

_encode = msgspec.json.Encoder().encode


def encode_request(request: Request, model: str) -> bytes:
    """The body for an upstream of the client's dialect: the client's fields in the client's order, with the target's
    model."""
    body = request.body
    return _encode(body if body.get("model") == model else {**body, "model": model})


def encode_answer(answer: Answer) -> bytes:
    """The body for the client, byte for byte where nothing changed."""
    return answer.raw if answer.raw is not None else _encode(answer.body)
