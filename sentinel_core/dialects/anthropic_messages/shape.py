"""The shape of a Messages request, checked before it is translated: see `dialects.canonical_form`."""

from __future__ import annotations

import msgspec

from sentinel_core.dialects.shape import shaped
from sentinel_core.json_types import JsonMapping, JsonObject


class _Block(msgspec.Struct):
    type: str
    text: str = ""
    thinking: str = ""
    title: str | None = None
    id: str | None = None
    name: str | None = None
    tool_use_id: str | None = None
    source: JsonObject | str | None = None
    cache_control: JsonObject | None = None

    def __post_init__(self) -> None:
        """The source of a search result is a text, such as its address; that of an image or a document is none."""
        if isinstance(self.source, str) and self.type != "search_result":
            raise ValueError("Expected `object | null` as its `source`, got `str`")


class _Tool(msgspec.Struct):
    type: str | None = None
    name: str | None = None
    description: str | None = None
    input_schema: JsonObject | None = None


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class _Turn(msgspec.Struct):
    role: str
    content: str | list[_Block]


class _Request(msgspec.Struct):
    messages: list[_Turn]
    system: str | list[_Block] | None = None
    tools: list[_Tool] | None = None
    tool_choice: _Choice | None = None
    stop_sequences: list[str] | None = None
    metadata: JsonObject | None = None
    service_tier: str | None = None
    thinking: JsonObject | None = None
    output_config: JsonObject | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


def checked(body: JsonMapping) -> JsonMapping:
    """The body itself. Raises `Refusal` (invalid_parameter), naming the place, where a known field has another type."""
    return shaped(body, _Request)
