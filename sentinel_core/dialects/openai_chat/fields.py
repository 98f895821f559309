"""Which strings of chat bodies are text, and which are identifiers that no guard reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from sentinel_core.dialects.slots import KEY, OBJECTS, SCALARS, Path, TextSlot, is_option, json_slot, string_slots
from sentinel_core.dialects.unreadable import says_unreadable
from sentinel_core.json_types import JsonMapping, JsonValue

IDENTIFIERS = frozenset(
    {
        *("finish_reason", "id", "model", "object", "obfuscation", "role", "service_tier", "system_fingerprint"),
        *("thought_signature", "tool_call_id", "type"),
    }
)
"""Keys whose string values are identifiers, enums, or state that only the provider can read, wherever they stand in a
message or a choice, but for what callers and models name themselves (`OWN`)."""

_OPTIONS = frozenset(
    {
        "modalities",
        "parallel_tool_calls",
        "prompt_cache_retention",
        "reasoning_effort",
        "service_tier",
        "verbosity",
    }
)
WORDS = frozenset(
    {
        *("auto", "default", "disabled", "flex", "on_demand", "performance", "priority", "scale", "standard"),
        *("none", "minimal", "low", "medium", "high", "xhigh", "max", "in-memory", "in_memory", "24h"),
        *("audio", "image", "text"),
    }
)
"""What such options say. Whatever else stands there, a caller chose."""
_BINARY = frozenset({"input_audio", "file_data"})
_PART_IDENTIFIERS = IDENTIFIERS | {"file_data"}
_PICTURES = frozenset({"image_url", "video_url"})
_BASE64 = re.compile(r"data:[a-z]+/[\w.+-]{1,80};base64,[\w+/=-]*", re.ASCII | re.IGNORECASE)

KNOWN_KEYS = frozenset(
    {
        *IDENTIFIERS,
        *_OPTIONS,
        *_BINARY,
        *("annotations", "arguments", "audio", "choices", "content", "created", "data", "delta", "description"),
        *("detail", "extra_content", "file", "format", "frequency_penalty", "function", "function_call", "functions"),
        *("google", "image_url", "include_usage", "index", "json_schema", "logit_bias", "logprobs"),
        *("max_completion_tokens", "max_tokens", "prompt_cache_key", "safety_identifier"),
        *("message", "messages", "metadata", "n", "name", "parameters", "prediction"),
        *("presence_penalty", "reasoning", "reasoning_content", "refusal", "response_format", "schema", "seed"),
        *("stop", "store", "stream", "stream_options", "strict", "temperature", "text", "tool_calls", "tool_choice"),
        *("accepted_prediction_tokens", "audio_tokens", "bytes", "cached_tokens", "completion_tokens"),
        *("completion_tokens_details", "logprob", "prompt_tokens", "prompt_tokens_details", "reasoning_tokens"),
        *("rejected_prediction_tokens", "token", "total_tokens"),
        *("tools", "top_logprobs", "top_p", "url", "usage", "user", "web_search_options"),
    }
)
"""Object keys of the format itself: not text that anybody wrote."""

REASONING_KEYS = ("reasoning_content", "reasoning")
"""Where compatible servers put shown reasoning; the first one present counts."""
_KINDS = {**dict.fromkeys(REASONING_KEYS, "reasoning"), "refusal": "refusal"}


def request_slots(body: JsonMapping) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of a request, messages first with their roles."""
    slots: list[TextSlot] = []
    for index, message in enumerate(body.get("messages") or ()):
        slots += _message_slots(message, ("messages", index))
    for key, value in body.items():
        if key == "messages" or is_option(key, value, _OPTIONS, WORDS):
            continue
        if value.__class__ not in SCALARS:
            slots += string_slots(value, (key,), skip=IDENTIFIERS, known=KNOWN_KEYS)
        if key not in KNOWN_KEYS:
            slots.append(TextSlot((KEY, key), key, None, "key"))
    return tuple(slots)


def answer_slots(body: JsonMapping) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of an answer."""
    slots: list[TextSlot] = []
    for index, choice in enumerate(body.get("choices") or ()):
        message = choice.get("message") if isinstance(choice, OBJECTS) else None
        if isinstance(message, OBJECTS):
            slots += _message_slots(message, ("choices", index, "message"), role="assistant")
            slots += _member_slots(choice, ("choices", index), "message", role="assistant")
        else:
            slots += string_slots(choice, ("choices", index), skip=IDENTIFIERS, known=KNOWN_KEYS)
    return (*slots, *_member_slots(body, (), "choices"))


def _member_slots(holder: JsonMapping, path: Path, covered: str, role: str | None = None) -> list[TextSlot]:
    """Those of an object outside the member `covered`. Nearly all of them are identifiers and numbers."""
    slots: list[TextSlot] = []
    for key, value in holder.items():
        scalar = value.__class__ in SCALARS
        if key not in KNOWN_KEYS:
            slots.append(TextSlot((*path, KEY, key), key, role, "key"))
        elif scalar or key == covered or (key in IDENTIFIERS and isinstance(value, str)):
            continue
        if not scalar:
            slots += string_slots(value, (*path, key), role=role, skip=IDENTIFIERS, known=KNOWN_KEYS)
    return slots


def _message_slots(message: JsonMapping, path: Path, role: str | None = None) -> list[TextSlot]:
    role = role or message.get("role")
    slots: list[TextSlot] = []
    for key, value in message.items():
        if key == "content":
            if isinstance(value, str):
                slots.append(TextSlot((*path, key), value, role, "content"))
            else:
                slots += _part_slots(value, (*path, key), role)
        elif value.__class__ not in SCALARS and (key not in IDENTIFIERS or not isinstance(value, str)):
            kind = _KINDS.get(key, "other")
            found = _member(value, (*path, key), role, kind)
            found = without_pictures(found, {key: value})
            slots += [_arguments(slot) if kind == "other" else slot for slot in found]
        if key not in KNOWN_KEYS:
            slots.append(TextSlot((*path, KEY, key), key, role, "key"))
    return slots


def _member(value: JsonValue, path: Path, role: str | None, kind: str) -> list[TextSlot]:
    """Those of a message's member, `kind` where that is known."""
    if path[-1] == "function_call":
        return _call_slots(value, path, role)
    if path[-1] == "tool_calls" and isinstance(value, list):
        return [slot for number, call in enumerate(value) for slot in _call_slots(call, (*path, number), role)]
    return string_slots(value, path, role=role, kind=kind, skip=IDENTIFIERS, known=KNOWN_KEYS)


def _call_slots(called: JsonValue, path: Path, role: str | None) -> list[TextSlot]:
    """Those of a call, or of a function that is called. Arguments that are an object are one text, as they are where
    they come as text."""
    found = string_slots(called, path, role=role, skip=IDENTIFIERS, known=KNOWN_KEYS)
    if not isinstance(called, OBJECTS):
        return found
    at: Path = (*path, "function", "arguments") if "function" in called else (*path, "arguments")
    function = called.get("function", called)
    arguments = function.get("arguments") if isinstance(function, OBJECTS) else None
    if not isinstance(arguments, Mapping | list):
        return found
    inside = [number for number, slot in enumerate(found) if slot.path[: len(at)] == at]
    begin, end = (inside[0], inside[-1] + 1) if inside else (len(found), len(found))
    return [*found[:begin], *json_slot(arguments, at, role=role, kind="tool_arguments"), *found[end:]]


def _arguments(slot: TextSlot) -> TextSlot:
    """A string of a message, as what it is: arguments of a tool call, free text for a tool, or another one."""
    if slot.path[-2:] == ("custom", "input"):
        return replace(slot, kind="tool_input")
    return replace(slot, kind="tool_arguments") if slot.path[-1] == "arguments" else slot


def _part_slots(content: JsonValue, path: Path, role: str | None) -> list[TextSlot]:
    """A message's content in parts, of which only text is text; binary parts are not evaluated."""
    if not isinstance(content, list):
        return string_slots(content, path, role=role, skip=IDENTIFIERS, known=KNOWN_KEYS)
    slots: list[TextSlot] = []
    for index, part in enumerate(content):
        if isinstance(part, Mapping) and isinstance(part.get("text"), str):
            slots.append(TextSlot((*path, index, "text"), part["text"], role, "content"))
            part = {key: value for key, value in part.items() if key != "text"}
        if isinstance(part, Mapping) and "input_audio" in part:
            part = {key: value for key, value in part.items() if key != "input_audio"}
        found = string_slots(part, (*path, index), role=role, skip=_PART_IDENTIFIERS, known=KNOWN_KEYS)
        slots += without_pictures(found, part)
    return slots


def without_pictures(slots: list[TextSlot], holder: JsonValue) -> list[TextSlot]:
    """Those of a part, or of what holds parts, without `data:` URIs in base64 in the place of an image, a video or a
    file: they are no text, if it says so itself."""
    if any(_is_picture(slot) for slot in slots) and says_unreadable(holder):
        return [slot for slot in slots if not _is_picture(slot)]
    return slots


def _is_picture(slot: TextSlot) -> bool:
    return not _PICTURES.isdisjoint(slot.path[-2:]) and _BASE64.fullmatch(slot.text) is not None
