"""Parts of input items in chat's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_TEXTS = ("input_text", "output_text", "text")
_MEDIA = ("input_image", "input_file")
_STRINGS = ("detail", "filename", "file_data", "file_id")


def content_of(content: JsonValue, param: str, lost: list[str]) -> str | list[JsonObject]:
    """A message's or a tool's content: text alone as a string. Parts that chat has no counterpart for are left out and
    named in `lost`. Raises `Refusal` for what is neither a string nor a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(part, Mapping) for part in content):
        raise invalid(param, f"'{param}' must be a string or a list of content parts.")
    found = [_part(part, f"{param}[{number}]") for number, part in enumerate(content)]
    lost += [f"input.{part.get('type')}" for part, made in zip(content, found, strict=True) if made is None]
    return text_alone([made for made in found if made is not None])


def text_alone(parts: Sequence[JsonObject]) -> str | list[JsonObject]:
    """Parts as a message's content: a single text as a string."""
    if not parts:
        return ""
    if len(parts) == 1 and parts[0]["type"] == "text":
        text: str = parts[0]["text"]
        return text
    return list(parts)


def _part(part: JsonMapping, param: str) -> JsonObject | None:
    kind = part.get("type")
    wrong = next((key for key in _STRINGS if not isinstance(part.get(key), str | None)), None)
    if kind in _MEDIA and wrong is not None:
        raise invalid(f"{param}.{wrong}", f"The {wrong!r} of a part must be a string.")
    if kind in _TEXTS and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        return {"type": "refusal", "refusal": part["refusal"]}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        detail = {"detail": part["detail"]} if part.get("detail") else {}
        return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}
    if kind == "input_file":
        file = {key: part[key] for key in ("filename", "file_data", "file_id") if part.get(key) is not None}
        return {"type": "file", "file": file} if "file_data" in file or "file_id" in file else None
    if kind == "input_audio" and isinstance(part.get("input_audio"), Mapping):
        return {"type": "input_audio", "input_audio": part["input_audio"]}
    return None
