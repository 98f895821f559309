"""What a chat request can say to OpenAI's own API, and no API of another format has a place for."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from sentinel_core.json_types import JsonMapping

_OF_A_MESSAGE = ("name", "audio", "images", "function_call")
"""A result of a tool may have a name as well: it is that of its call."""
_USUAL = (None, "auto")


def only_here(body: JsonMapping, but: Container[str] = ()) -> list[str]:
    """The names of what a checked request says so, `but` for what the other API can be told after all."""
    said = dict.fromkeys(name for message in body["messages"] for name in _of_message(message))
    form = body.get("response_format")
    schema = form.get("json_schema") if isinstance(form, Mapping) else None
    if isinstance(schema, Mapping) and schema.get("description"):
        said["response_format.json_schema.description"] = None
    return [name for name in said if name not in but]


def _of_message(message: JsonMapping) -> Iterator[str]:
    if message["role"] != "tool":
        for key in _OF_A_MESSAGE:
            if message.get(key):
                yield f"messages.{key}"
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        image = part.get("image_url") if isinstance(part, Mapping) else None
        if isinstance(image, Mapping) and image.get("detail") not in _USUAL:
            yield "messages.image_url.detail"
