"""What of requests and replies is no text: images, sound, files, texts as numbers of tokens, what a provider keeps."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.json_types import JsonMapping, JsonValue

_KINDS = frozenset(
    {
        *("image", "image_url", "input_image", "audio", "input_audio", "video", "video_url", "input_video"),
        *("file", "input_file", "container_upload", "item_reference", "computer_screenshot", "image_generation_call"),
        *("response.image_generation_call.partial_image", "response.audio.delta", "response.output_audio.delta"),
    }
)
"""Types of parts, items and events whose content is no text, or is kept elsewhere."""
_MEMBERS = frozenset({"audio", "file_data", "input_audio"})
"""Members that no guard reads, whatever the part that has them says it is."""
_TEXTS = frozenset({"text", "content"})
"""Kinds of sources of a document that are text."""
_KEPT = ("previous_response_id", "conversation")
"""Fields that name texts which a provider keeps and does not send; so does a `prompt` that is an object."""
_PLACES = ("messages", "input", "prompt", "system")
_INSIDE = frozenset(
    {"content", "output", "source", "images", "choices", "message", "delta", "item", "part", "content_block"}
)

_LOOKED_AT = _INSIDE | _MEMBERS | {"type"}


def holds_unreadable(body: JsonMapping) -> bool:
    """Whether a request's body holds such a part or stands for one, in whichever dialect. Of parts that are texts only,
    nothing is looked at but their types."""
    if any(body.get(name) for name in _KEPT) or isinstance(body.get("prompt"), Mapping):
        return True
    return says_unreadable([body[name] for name in _PLACES if name in body])


def says_unreadable(said: JsonValue) -> bool:
    """Whether a reply's body, one event of a stream, or what was said before holds such a part."""
    waiting = [said]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            for name in _LOOKED_AT.intersection(node):
                value = node[name]
                if name in _INSIDE:
                    if value.__class__ is not str:
                        waiting.append(value)
                elif (name in _MEMBERS and value) or (name == "type" and _is_unreadable(node, value)):
                    return True
        elif isinstance(node, list):
            waiting += node
        elif type(node) is int:
            return True  # a token
    return False


def _is_unreadable(part: JsonMapping, kind: JsonValue) -> bool:
    """Whether a part of this type is none of text, whatever is inside."""
    if kind == "document":
        source = part.get("source")
        return not isinstance(source, dict) or source.get("type") not in _TEXTS
    return isinstance(kind, str) and kind in _KINDS
