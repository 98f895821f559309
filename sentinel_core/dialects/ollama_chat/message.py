"""What one message of an answer says, in a unary answer or on a line of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonValue

_encode = msgspec.json.Encoder().encode


class Called(NamedTuple):
    """A call of a tool. `arguments` is the text of a JSON object."""

    id: str
    name: str
    arguments: str


def message_of(body: JsonMapping) -> JsonMapping:
    """The message of an answer or a line. Raises `UpstreamError` where there is none."""
    message = body.get("message")
    if not isinstance(message, Mapping):
        raise UpstreamError("upstream_invalid_response")
    return message


def text_of(message: JsonMapping, key: str) -> str:
    """A text of the message, empty where it has none. Raises `UpstreamError` for anything else."""
    text = message.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise UpstreamError("upstream_invalid_response")
    return text


def calls_of(message: JsonMapping, answer_id: str, first: int = 0) -> list[Called]:
    """The calls of the message; `first` is how many the answer had before. Raises `UpstreamError` for what is none.

    A call comes whole. Older servers give it no id: its id is then made of the answer's and its number, so that no
    other call of a conversation has it. `function.index` is not used: some models' parsers number each message anew.
    """
    calls = message.get("tool_calls") or ()
    if not isinstance(calls, list | tuple):
        raise UpstreamError("upstream_invalid_response")
    return [_called(call, f"call_{answer_id}_{number}") for number, call in enumerate(calls, first)]


def _called(call: JsonValue, own_id: str) -> Called:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise UpstreamError("upstream_invalid_response")
    identifier = call.get("id")
    known = isinstance(identifier, str) and identifier
    return Called(identifier if known else own_id, function["name"], _arguments(function.get("arguments")))


def _arguments(arguments: JsonValue) -> str:
    """An object, or what passes for one: some servers that imitate this API send its text, as OpenAI does."""
    if arguments is None or arguments == "":
        return "{}"
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments)
        except (msgspec.MsgspecError, RecursionError):
            raise UpstreamError("upstream_invalid_response") from None
    if not isinstance(arguments, Mapping):
        raise UpstreamError("upstream_invalid_response")
    return _encode(arguments).decode()
