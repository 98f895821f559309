"""What of requests and replies is no text: images, sound, files, and texts that are given as numbers of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_KINDS = frozenset(
    {
        *("image", "image_url", "input_image", "audio", "input_audio", "video", "video_url", "input_video"),
        *("file", "input_file", "container_upload", "item_reference", "computer_screenshot", "image_generation_call"),
    }
)
"""Types of parts and items whose content is no text, or is kept elsewhere."""
_TEXTS = frozenset({"text", "content"})
"""Kinds of sources of a document that are text."""
_PLACES = ("messages", "input", "prompt", "system")
_INSIDE = ("content", "output")
_SAID = frozenset(
    {"response.image_generation_call.partial_image", "response.audio.delta", "response.output_audio.delta"}
)
"""Types of events that carry such a part themselves."""
_SAID_INSIDE = frozenset(
    {"choices", "message", "delta", "content", "images", "output", "item", "part", "content_block"}
)


def holds_unreadable(body: Mapping[str, Any]) -> bool:
    """Whether a request's body holds such a part, in whichever dialect. Of parts that are texts only, nothing is
    looked at but their types."""
    return _is_inside(body, _PLACES)


def _is_inside(holder: Mapping[str, Any], members: Sequence[str]) -> bool:
    for name in members:
        value = holder.get(name)
        if value.__class__ is not str and value is not None and _is_unreadable(value):
            return True
    return False


def _is_unreadable(value: Any) -> bool:  # decoded JSON
    if isinstance(value, list):
        return any(item.__class__ is not str and _is_unreadable(item) for item in value)
    if not isinstance(value, dict):
        return type(value) is int  # a token
    kind = value.get("type")
    if isinstance(kind, str) and kind in _KINDS:
        return True
    if kind == "document":
        source = value.get("source")
        return not isinstance(source, dict) or source.get("type") not in _TEXTS or _is_inside(source, _INSIDE)
    return _is_inside(value, _INSIDE)


def says_unreadable(said: Any) -> bool:  # decoded JSON
    """Whether a reply's body, or one event of a stream, holds such a part, in whichever dialect."""
    waiting = [said]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            kind = node.get("type")
            if node.get("audio") or (isinstance(kind, str) and (kind in _KINDS or kind in _SAID)):
                return True
            waiting += [node[name] for name in node.keys() & _SAID_INSIDE]
    return False
