"""Content parts of OpenAI's form as Google's, and images of an answer back.

Source: https://ai.google.dev/api/caching#Part. Bytes go inline, addresses as `fileData`, with the type that their last
part's ending names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from sentinel_core.dialects.google_gemini.wire import Blob
from sentinel_core.dialects.media_types import inline
from sentinel_core.dialects.openai_chat.canonical import kinds_of
from sentinel_core.json_types import JsonMapping, JsonObject

_ADDRESS = re.compile(r"(?:https?|gs)://", re.IGNORECASE)
_TYPES = {
    **{"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"},
    **{"heic": "image/heic", "heif": "image/heif", "gif": "image/gif", "pdf": "application/pdf"},
}


def parts_of(content: str | Sequence[JsonMapping] | None, dropped: list[str]) -> list[JsonObject]:
    """A message's content. Empty text is left out: it says nothing."""
    if isinstance(content, str):
        return [{"text": content}] if content else []
    made: list[JsonObject] = []
    for item in content or ():
        part = _part(item)
        if part is None:
            dropped += kinds_of(item, "messages")
        elif part.get("text") != "":
            made.append(part)
        if "cache_control" in item:
            dropped.append("cache_control")
    return made


def image_of(blob: Blob, index: int) -> JsonObject:
    """An image of an answer, an item of a message's `images`: OpenAI's chat has none, gateways show them so."""
    url = f"data:{blob.mime_type};base64,{blob.data}"
    return {"type": "image_url", "image_url": {"url": url}, "index": index}


def _part(item: JsonMapping) -> JsonObject | None:
    """One part; None for one without a counterpart."""
    kind = item["type"]
    value = item.get(kind)
    if value is None:
        return None
    if kind in ("text", "refusal"):
        return {"text": value} if isinstance(value, str) else None
    if kind == "image_url":
        return _media(value if isinstance(value, str) else value["url"])
    if kind == "file":
        return _media(value.get("file_data") or "")
    if kind == "input_audio" and isinstance(value.get("data"), str):
        return {"inlineData": {"mimeType": f"audio/{value.get('format')}", "data": value["data"]}}
    return None


def _media(url: str) -> JsonObject | None:
    """Bytes, or where they are."""
    held = inline(url)
    if held is not None:
        return {"inlineData": {"mimeType": held.media_type, "data": held.data}}
    if not _ADDRESS.match(url):
        return None
    kind = _TYPES.get(_path(url).rpartition(".")[2].lower())
    return {"fileData": {**({"mimeType": kind} if kind else {}), "fileUri": url}}


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # brackets that hold no address
        return ""
