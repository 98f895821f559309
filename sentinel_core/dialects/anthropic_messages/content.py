"""Content blocks in OpenAI's form and back: text, images, documents, and what only Anthropic knows.

A block without a counterpart is kept whole as a part of type `extra_content`, so that it comes back unchanged where the
target is Anthropic, and is named where it is not. What a text says beside its words is kept with it.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Container, Mapping, Sequence

from sentinel_core.dialects.anthropic_messages.words import EXTENSION, VENDOR
from sentinel_core.dialects.media_types import inline
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_DATA = re.compile(r"\s*data:", re.IGNORECASE)
_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF = "application/pdf"
_FILE_NAME = "document.pdf"
_TEXT_KEYS = frozenset({"type", "text", "cache_control"})


def extension(value: JsonValue) -> JsonObject:
    """A value that only Anthropic knows."""
    return {EXTENSION: {VENDOR: value}}


def own_extension(holder: JsonMapping) -> JsonMapping | None:
    """What `extension` kept here for Anthropic; None where nothing was, or what a client put there is no object."""
    kept = holder.get(EXTENSION)
    own = kept.get(VENDOR) if isinstance(kept, Mapping) else None
    return own if isinstance(own, Mapping) else None


def surplus(holder: JsonMapping, known: Container[str]) -> JsonObject:
    """What a block or a tool says beside its `known` members. One that is null, false or empty says nothing."""
    return {key: value for key, value in holder.items() if key not in known and value}


def beside_text(block: JsonMapping) -> JsonObject:
    """What a block of text says that no other vendor knows, such as its citations; of other blocks nothing."""
    return surplus(block, _TEXT_KEYS) if block.get("type") == "text" else {}


def part_of(block: JsonMapping) -> JsonObject:
    """One block as a content part. A member that is null is none."""
    kind, known = block.get("type"), {key for key, value in block.items() if value is not None} - {"cache_control"}
    cached = {"cache_control": block["cache_control"]} if block.get("cache_control") is not None else {}
    if kind == "text" and isinstance(block.get("text"), str):
        kept = beside_text(block)
        return {"type": "text", "text": block["text"], **cached, **(extension(kept) if kept else {})}
    source = block.get("source")
    if isinstance(source, Mapping) and known <= {"type", "source", "title"}:
        url = _url(source)
        if kind == "image" and url is not None and "title" not in known:
            return {"type": "image_url", "image_url": {"url": url}, **cached}
        if kind == "document" and url is not None and url.startswith(f"data:{_PDF};"):
            return {"type": "file", "file": {"filename": block.get("title") or _FILE_NAME, "file_data": url}, **cached}
    return {"type": EXTENSION, **extension(dict(block))}


def block_of(part: JsonMapping) -> JsonObject | None:
    """One content part as a block; None for one that Anthropic has no block for."""
    kind = part.get("type")
    cached = {"cache_control": part["cache_control"]} if "cache_control" in part else {}
    if kind in ("text", "refusal") and isinstance(part.get(str(kind)), str):
        return {**(own_extension(part) or {}), "type": "text", "text": part[str(kind)], **cached}
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, Mapping) else image
        if isinstance(url, str) and not _DATA.match(url):
            return {"type": "image", "source": {"type": "url", "url": url}, **cached}
        made = _held(url)
        return {**made, **cached} if made is not None else None
    if kind == "file" and isinstance(part.get("file"), Mapping):
        made, name = _held(part["file"].get("file_data")), part["file"].get("filename")
        if made is None:
            return None
        titled = {"title": name} if made["type"] == "document" and name and name != _FILE_NAME else {}
        return {**made, **titled, **cached}
    kept = own_extension(part) if kind == EXTENSION else None
    return dict(kept) if kept is not None else None


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
