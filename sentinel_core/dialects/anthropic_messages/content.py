"""Content blocks in OpenAI's form and back: text, images, documents, and what only Anthropic knows.

A block without a counterpart is kept whole as a part of type `extra_content`, so that it comes back unchanged where the
target is Anthropic, and is named where it is not. What a text says beside its words is kept with it.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

from sentinel_core.dialects.anthropic_messages.words import EXTENSION, VENDOR
from sentinel_core.dialects.media_types import registered
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
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
        if kind == "document" and url is not None and url.startswith("data:application/pdf;"):
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
        return {"type": "image", "source": source_of(url), **cached} if isinstance(url, str) else None
    if kind == "file" and isinstance(part.get("file"), Mapping):
        data, name = part["file"].get("file_data"), part["file"].get("filename")
        if isinstance(data, str) and _DATA_URI.fullmatch(data):
            titled = {"title": name} if name and name != _FILE_NAME else {}
            return {"type": "document", "source": source_of(data), **titled, **cached}
        return None
    kept = own_extension(part) if kind == EXTENSION else None
    return dict(kept) if kept is not None else None


def source_of(url: str) -> JsonObject:
    """Where an image or a document comes from."""
    inline = _DATA_URI.fullmatch(url)
    if inline is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": registered(inline[1]), "data": inline[2]}


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
