"""The shape of what a Responses request says beside its input, checked before it is translated: a client is told of its
own parameters, and not of those that chat has in their place. See `dialects.canonical_form`."""

from __future__ import annotations

import msgspec

from sentinel_core.dialects.shape import shaped
from sentinel_core.json_types import JsonMapping, JsonObject


class _Format(msgspec.Struct):
    type: str
    name: str | None = None
    description: str | None = None
    schema: JsonObject | None = None
    strict: bool | None = None


class _Text(msgspec.Struct):
    format: _Format | None = None
    verbosity: str | None = None


class _Reasoning(msgspec.Struct):
    effort: str | None = None


class _Tool(msgspec.Struct):
    type: str | None = None
    name: str | None = None
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None


class _Request(msgspec.Struct):
    instructions: str | None = None
    text: _Text | None = None
    reasoning: _Reasoning | None = None
    tools: list[_Tool] | None = None


def checked(body: JsonMapping) -> JsonMapping:
    """The body itself. Raises `Refusal` (invalid_parameter), naming the place, where a known field has another type."""
    return shaped(body, _Request)
