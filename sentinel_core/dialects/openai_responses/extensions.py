"""A Responses request for an API that has Responses itself, and knows nothing of how the gateway translates them.

A client sends the items that it was answered with as they came. Those of a translated answer hold what the vendor of
that answer understands, and its thoughts in plain words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sentinel_core.dialects.openai_chat.canonical import EXTENSION, extension_names
from sentinel_core.json_types import JsonMapping, JsonValue

_OURS = re.compile(r"rs_.+_\d+", re.DOTALL)
"""The id of a reasoning item that the gateway made: of the answer's and the item's number."""


def without_extensions(body: JsonMapping, *, plain_thoughts: bool) -> tuple[JsonMapping, list[str]]:
    """The body, and the names of the parameters that are left out. Reasoning of others goes without a name: it says
    nothing here. Without any the body is the same object.

    `plain_thoughts` says that the API shows thoughts in words and takes them back so, but for those of others: OpenAI
    takes its own back sealed alone.
    """
    names = extension_names(body.get(EXTENSION))
    items = body.get("input")
    changed = isinstance(items, list) and any(_is_extended(item) or _is_foreign(item, plain_thoughts) for item in items)
    if not changed and EXTENSION not in body:
        return body, names
    result = {key: body[key] for key in body if key != EXTENSION}
    if changed:
        result["input"] = [_bare(item) for item in body["input"] if not _is_foreign(item, plain_thoughts)]
    return result, names


def _is_foreign(item: JsonValue, plain_thoughts: bool) -> bool:
    """Whether an item is reasoning that another vendor's model did, or state of that vendor alone."""
    if not isinstance(item, Mapping) or item.get("type") != "reasoning" or item.get("encrypted_content"):
        return False
    if _is_extended(item) or not item.get("content"):
        return _is_extended(item)
    return not plain_thoughts or _OURS.fullmatch(str(item.get("id"))) is not None


def _is_extended(item: JsonValue) -> bool:
    return isinstance(item, Mapping) and EXTENSION in item


def _bare(item: JsonValue) -> JsonValue:
    return {key: item[key] for key in item if key != EXTENSION} if _is_extended(item) else item
