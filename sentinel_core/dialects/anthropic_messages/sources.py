"""Sources that are text: results of a search, and documents that are no files. No other vendor has a block for them."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.json_types import JsonMapping, JsonValue


def text_of(block: JsonMapping) -> str | None:
    """The text of a source behind its title and its address, a line each; None for what is no such source."""
    source = block.get("source")
    if block.get("type") == "search_result":
        found, address = _joined(block.get("content")), source
    elif block.get("type") == "document" and isinstance(source, Mapping):
        found, address = _of_document(source), None
    else:
        return None
    if found is None:
        return None
    return "\n".join(line for line in (block.get("title"), address, found) if isinstance(line, str) and line)


def _of_document(source: JsonMapping) -> str | None:
    kind = source.get("type")
    if kind == "text":
        data = source.get("data")
        return data if isinstance(data, str) else None
    return _joined(source.get("content")) if kind == "content" else None


def _joined(content: JsonValue) -> str | None:
    """The text of blocks that are nothing else; None where one is, and where there are none."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else ()
    texts = [block.get("text") if isinstance(block, Mapping) else None for block in blocks]
    said = [text for text in texts if isinstance(text, str)]
    return "\n".join(said) if said and len(said) == len(texts) else None
