"""Which strings of Messages bodies are text, and which are identifiers or binary that no guard reads."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from sentinel_core.dialects.slots import Path, TextSlot, is_option, json_slot, string_slots
from sentinel_core.json_types import JsonMapping, JsonValue

IDENTIFIERS = frozenset(
    {
        *("id", "type", "role", "model", "tool_use_id", "media_type", "stop_reason", "service_tier", "container_id"),
        *("signature", "encrypted_content", "encrypted_index", "inference_geo", "speed", "ttl", "request_id"),
    }
)
"""Keys whose string values are identifiers, enums, or text that only the provider can read."""

KNOWN_KEYS = frozenset(
    {
        *IDENTIFIERS,
        *("budget_tokens", "cache_control", "cache_creation", "cache_creation_input_tokens", "cache_read_input_tokens"),
        *("citations", "cited_text", "container", "content", "content_block", "context", "context_management", "data"),
        *("delta", "description", "disable_parallel_tool_use", "display", "document_index", "document_title", "effort"),
        *("enabled", "end_char_index", "ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens", "error"),
        *("explanation", "format", "index", "input", "input_schema", "input_tokens", "is_error", "max_tokens"),
        *("mcp_servers", "message", "messages", "metadata", "name", "output_config", "output_tokens"),
        *("output_tokens_details", "partial_json", "schema", "server_tool_use", "source", "start_char_index"),
        *("stop_details", "stop_sequence", "stop_sequences", "stream", "strict", "system", "temperature", "text"),
        *("thinking", "thinking_tokens", "title", "tool_choice", "tools", "top_k", "top_p", "url", "usage", "user_id"),
    }
)
"""Object keys of the format itself: not text that anybody wrote."""

_OPTIONS = frozenset({"inference_geo", "service_tier", "speed"})
_WORDS = frozenset({"auto", "eu", "fast", "global", "standard", "standard_only", "us"})
"""What such options say. Whatever else stands there, a caller chose."""


def request_slots(body: JsonMapping) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of a request: the system prompt, then the messages, then the rest."""
    slots = content_slots(body.get("system"), ("system",), "system")
    messages = body.get("messages")
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        role = message.get("role")
        slots += content_slots(message.get("content"), ("messages", index, "content"), role)
        slots += _rest(message, ("messages", index), "content", role)
    for key, value in body.items():
        if key in ("system", "messages") or is_option(key, value, _OPTIONS, _WORDS):
            continue
        if isinstance(value, str) and key in IDENTIFIERS:
            slots.append(TextSlot((key,), value))
        else:
            slots += string_slots({key: value}, (), skip=IDENTIFIERS, known=KNOWN_KEYS)
    return tuple(slots)


def answer_slots(body: JsonMapping) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of an answer."""
    slots = content_slots(body.get("content"), ("content",), "assistant")
    return (*slots, *_rest(body, (), "content", None))


def content_slots(content: JsonValue, path: Path, role: str | None) -> list[TextSlot]:
    """The strings of a string or of a list of blocks."""
    if isinstance(content, str):
        return [TextSlot(path, content, role, "content")]
    if not isinstance(content, list):
        return string_slots(content, path, role=role, skip=IDENTIFIERS, known=KNOWN_KEYS)
    slots: list[TextSlot] = []
    for index, block in enumerate(content):
        slots += block_slots(block, (*path, index), role)
    return slots


def block_slots(block: JsonValue, path: Path, role: str | None) -> list[TextSlot]:
    """The strings of one content block. What a tool is given is one text, as in other dialects and in streams: its keys
    are the model's own choice, and say what their values are."""
    if not isinstance(block, Mapping):
        return string_slots(block, path, role=role, skip=IDENTIFIERS, known=KNOWN_KEYS)
    slots: list[TextSlot] = []
    kind = block.get("type")
    for key, value in block.items():
        at = (*path, key)
        if key == "text" and isinstance(value, str):
            slots.append(TextSlot(at, value, role, "content"))
        elif key == "thinking" and isinstance(value, str):
            slots.append(TextSlot(at, value, role, "reasoning"))
        elif key == "input":
            slots += json_slot(value, at, role=role, kind="tool_arguments")
        elif key == "content":
            slots += content_slots(value, at, "tool" if isinstance(kind, str) and "tool_result" in kind else role)
        elif key == "source" and isinstance(value, Mapping):
            slots += _source_slots(value, at, role)
        elif key == "data" and kind == "redacted_thinking":
            continue
        else:
            found = string_slots({key: value}, (), role=role, skip=IDENTIFIERS, known=KNOWN_KEYS)
            slots += [replace(slot, path=(*path, *slot.path)) for slot in found]
    return slots


def _source_slots(source: JsonMapping, path: Path, role: str | None) -> list[TextSlot]:
    """Where an image or a document comes from: binary data is not text, a plain text document is."""
    kind = source.get("type")
    shown = {key: value for key, value in source.items() if not (key == "data" and kind == "base64")}
    if kind == "content":
        slots = content_slots(shown.pop("content", None), (*path, "content"), role)
        return slots + string_slots(shown, path, role=role, skip=IDENTIFIERS, known=KNOWN_KEYS)
    text = "content" if kind == "text" else "other"
    return string_slots(shown, path, role=role, kind=text, skip=IDENTIFIERS, known=KNOWN_KEYS)


def _rest(holder: JsonMapping, path: Path, done: str, role: str | None) -> list[TextSlot]:
    rest = {key: value for key, value in holder.items() if key != done}
    return string_slots(rest, path, role=role, skip=IDENTIFIERS, known=KNOWN_KEYS)
