"""The input of a tool, which streams and other formats give as the text of its JSON."""

from __future__ import annotations

import msgspec

from sentinel_core.decoding import ANSWER_LIMITS, decode_json
from sentinel_core.errors import INVALID_TOOL_ARGUMENTS, Refusal, UpstreamError
from sentinel_core.json_types import JsonObject, JsonValue

_BAD_ARGUMENTS = "The model called a tool with arguments that are no JSON object."


def decoded(text: str) -> JsonValue:
    """The value that a text is the JSON of. Raises `msgspec.DecodeError` where it is none, or nests deeper than an
    answer may: what cannot be written again is not read."""
    try:
        return decode_json(text.encode(), ANSWER_LIMITS)
    except Refusal as refused:
        raise msgspec.DecodeError(refused.message) from None


def tool_input(arguments: str, *, cut: bool = False) -> JsonObject:
    """A tool's input from its JSON text. Empty text is an empty object, and so is text without its end where the answer
    was `cut` off. Raises `UpstreamError` for anything else, which the model wrote: its provider is well."""
    value = _value(arguments, cut=cut)
    if not isinstance(value, dict):
        raise bad_arguments()
    return value


def sent_input(arguments: str, *, cut: bool = False) -> JsonObject | str:
    """A tool's input as somebody was sent it: as `tool_input`, and what is no object is a text."""
    value = _value(arguments, cut=cut)
    return value if isinstance(value, dict) else arguments


def bad_arguments() -> UpstreamError:
    """What a call of a tool is that the model wrote badly."""
    return UpstreamError(
        "upstream_invalid_response", _BAD_ARGUMENTS, wire_code=INVALID_TOOL_ARGUMENTS, should_retry=False
    )


def _value(arguments: str, *, cut: bool) -> JsonValue:
    try:
        return decoded(arguments) if arguments.strip() else {}
    except msgspec.DecodeError:
        return {} if cut else None
