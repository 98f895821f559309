"""The shape of a canonical request, checked once for every writer of another format.

Between a dialect and itself a body passes as it is, and its upstream says what is wrong with it. Whoever writes another
format from it has to rely on its types, so a body that is to be translated is checked first.
"""

from __future__ import annotations

import msgspec

from sentinel_core.dialects.shape import shaped
from sentinel_core.json_types import JsonMapping, JsonObject


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None


class _Call(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    function: _Function | None = None
    extra_content: JsonObject | None = None


class _Tool(msgspec.Struct):
    type: str | None = None
    function: _Function | None = None
    extra_content: JsonObject | None = None


class _Image(msgspec.Struct):
    url: str
    detail: str | None = None


class _File(msgspec.Struct):
    filename: str | None = None
    file_data: str | None = None
    file_id: str | None = None


class _Part(msgspec.Struct):
    type: str
    text: str | None = None
    image_url: _Image | str | None = None
    input_audio: JsonObject | None = None
    file: _File | None = None
    extra_content: JsonObject | None = None


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None
    reasoning_content: str | None = None
    extra_content: JsonObject | None = None


class _Schema(msgspec.Struct):
    name: str | None = None
    schema: JsonObject | None = None
    strict: bool | None = None


class _ResponseFormat(msgspec.Struct):
    type: str
    json_schema: _Schema | None = None


class _NamedTool(msgspec.Struct):
    type: str
    function: _Function | None = None


class _Request(msgspec.Struct):
    messages: list[_Message]
    tools: list[_Tool] | None = None
    tool_choice: str | _NamedTool | None = None
    parallel_tool_calls: bool | None = None
    response_format: _ResponseFormat | None = None
    reasoning_effort: str | None = None
    stop: str | list[str] | None = None
    user: str | None = None
    seed: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: JsonObject | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    metadata: JsonObject | None = None
    service_tier: str | None = None
    verbosity: str | None = None
    extra_content: JsonObject | None = None


def checked(body: JsonMapping) -> JsonMapping:
    """The body itself. Raises `Refusal` (invalid_parameter), naming the place, where a known field has another type."""
    return shaped(body, _Request)
