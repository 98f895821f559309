"""Content blocks in OpenAI's form and back: text, images, documents, and what only Anthropic knows.

A block without a counterpart is kept whole as a part of type `extra_content`, so that it comes back unchanged where the
target is Anthropic, and is named where it is not. What a text, an image or a PDF says beside itself is kept with it.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Container, Mapping, Sequence

from sentinel_core.dialects.anthropic_messages.sources import text_of
from sentinel_core.dialects.anthropic_messages.words import EXTENSION, VENDOR
from sentinel_core.dialects.media_types import inline
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_DATA = re.compile(r"\s*data:", re.IGNORECASE)
_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF = "application/pdf"
_FILE_NAME = "document.pdf"
_SOURCED = frozenset({"type", "source", "cache_control"})
_KEYS = {
    "text": frozenset({"type", "text", "cache_control"}),
    "image": _SOURCED,
    "document": _SOURCED | {"title"},
    "search_result": _SOURCED | {"title", "content"},
}
"""What other vendors can be told of a block."""
_OFF = {"enabled": False}


def extension(value: JsonValue) -> JsonObject:
    """A value that only Anthropic knows."""
    return {EXTENSION: {VENDOR: value}}


def own_extension(holder: JsonMapping) -> JsonMapping | None:
    """What `extension` kept here for Anthropic; None where nothing was, or what a client put there is no object."""
    kept = holder.get(EXTENSION)
    own = kept.get(VENDOR) if isinstance(kept, Mapping) else None
    return own if isinstance(own, Mapping) else None


def surplus(holder: JsonMapping, known: Container[str]) -> JsonObject:
    """What a block or a tool says beside its `known` members. One that is null, false, empty or off says nothing."""
    return {key: value for key, value in holder.items() if key not in known and value and value != _OFF}


def beside(block: JsonMapping) -> JsonObject:
    """What a block says that no other vendor knows, such as its citations; of blocks that are kept whole nothing."""
    kept = surplus(block, known) if (known := _KEYS.get(block["type"])) else {}
    return kept if kept and _plain_part(block) is not None else {}


def part_of(block: JsonMapping) -> JsonObject:
    """One block as a content part. A member that is null is none."""
    made = _plain_part(block)
    if made is None:
        return {"type": EXTENSION, **extension(dict(block))}
    if block.get("cache_control") is not None:
        made["cache_control"] = block["cache_control"]
    kept = beside(block) if block["type"] == "text" or made["type"] != "text" else {}  # a text has no source
    return {**made, **extension(kept)} if kept else made


def _plain_part(block: JsonMapping) -> JsonObject | None:
    """What every vendor understands of a block; None where there is nothing of that kind."""
    kind, source = block.get("type"), block.get("source")
    if kind == "text" and isinstance(block.get("text"), str):
        return {"type": "text", "text": block["text"]}
    url = _url(source) if isinstance(source, Mapping) else None
    if kind == "image" and url is not None:
        return {"type": "image_url", "image_url": {"url": url}}
    if kind == "document" and url is not None and url.startswith(f"data:{_PDF};"):
        return {"type": "file", "file": {"filename": block.get("title") or _FILE_NAME, "file_data": url}}
    words = text_of(block)
    return {"type": "text", "text": words} if words else None


def block_of(part: JsonMapping) -> JsonObject | None:
    """One content part as a block; None for one that Anthropic has no block for."""
    kind = part.get("type")
    cached = {"cache_control": part["cache_control"]} if "cache_control" in part else {}
    own = own_extension(part)
    more = own or {}
    if kind in ("text", "refusal") and isinstance(part.get(str(kind)), str):
        return {**more, "type": "text", "text": part[str(kind)], **cached}
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, Mapping) else image
        if isinstance(url, str) and not _DATA.match(url):
            return {**more, "type": "image", "source": {"type": "url", "url": url}, **cached}
        made = _held(url)
        return {**more, **made, **cached} if made is not None else None
    if kind == "file" and isinstance(part.get("file"), Mapping):
        made, name = _held(part["file"].get("file_data")), part["file"].get("filename")
        if made is None:
            return None
        titled = {"title": name} if made["type"] == "document" and name and name != _FILE_NAME else {}
        return {**more, **made, **titled, **cached}
    return dict(own) if kind == EXTENSION and own is not None else None


def _held(url: JsonValue) -> JsonObject | None:
    """Bytes within the request as the block that their type has; None for those of other types, which Anthropic
    refuses (https://docs.anthropic.com/en/api/messages)."""
    held = inline(url) if isinstance(url, str) else None
    if held is None:
        return None
    if held.media_type.startswith("text/"):
        text = _text(held.data)
        source = {"type": "text", "media_type": "text/plain", "data": text}
        return {"type": "document", "source": source} if text.strip() else None
    source = {"type": "base64", "media_type": held.media_type, "data": held.data}
    if held.media_type in _PICTURES:
        return {"type": "image", "source": source}
    return {"type": "document", "source": source} if held.media_type == _PDF else None


def _text(data: str) -> str:
    """The text of a file; empty if it is none."""
    try:
        return a2b_base64(data).decode("utf-8-sig")
    except ValueError:
        return ""


def content_of(blocks: Sequence[JsonMapping]) -> str | list[JsonObject]:
    """Blocks as a message's content: text alone as a string."""
    parts = [part_of(block) for block in blocks]
    if len(parts) == 1 and set(parts[0]) == {"type", "text"}:
        text: str = parts[0]["text"]
        return text
    return parts


def _url(source: JsonMapping) -> str | None:
    if source.get("type") == "base64":
        return f"data:{source.get('media_type')};base64,{source.get('data')}"
    url = source.get("url") if source.get("type") == "url" else None
    return url if isinstance(url, str) else None
