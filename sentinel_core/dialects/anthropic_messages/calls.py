"""Calls of tools in earlier turns, and what the API asks of them.

Their ids are of letters, digits, `_` and `-`; other vendors' are not, and go in a form of their own, in a call and in
its result. A conversation with calls or results is refused where the request declares no tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sentinel_core.dialects.call_ids import fitting
from sentinel_core.dialects.openai_chat.arguments import arguments_of
from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_ID = re.compile(r"[a-zA-Z0-9_-]+")
_ID_OF: Mapping[str, str] = {"tool_use": "id", "tool_result": "tool_use_id"}
"""Where each kind of block has the id of a call."""
ANY_INPUT: Final[JsonMapping] = {"type": "object", "properties": {}}
"""The schema of a tool that does not say what it takes."""


def tool_use(call: JsonValue, param: str) -> JsonObject:
    """A chat's call as a block. Raises `Refusal` for arguments that are no JSON object: the API takes nothing else."""
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        raise invalid(param, "A tool call must name a function.")
    made = arguments_of(function, param)
    return {"type": "tool_use", "id": taken_id(call.get("id")), "name": function.get("name"), "input": made}


def taken_id(identifier: Any) -> Any:  # a string, or what a client put in its place
    """The id of a call as the API takes it."""
    return fitting(identifier, _ID) if isinstance(identifier, str) else identifier


def called_tools(turns: Sequence[JsonMapping]) -> list[JsonObject]:
    """Declarations of the tools that these turns call."""
    names = [block.get("name") for block in _blocks(turns) if block.get("type") == "tool_use"]
    return [{"name": name, "input_schema": ANY_INPUT} for name in dict.fromkeys(filter(_is_text, names))]


def with_taken_ids(body: JsonMapping) -> JsonMapping:
    """A Messages body whose ids of calls the API takes; the same object where it takes them all."""
    if all(map(_is_taken, _blocks(body["messages"]))):
        return body
    return {**body, "messages": [_with_taken_ids(turn) for turn in body["messages"]]}


def _with_taken_ids(turn: JsonMapping) -> JsonMapping:
    blocks = turn["content"]
    if not isinstance(blocks, list) or all(map(_is_taken, blocks)):
        return turn
    return {**turn, "content": [block if _is_taken(block) else _with_taken_id(block) for block in blocks]}


def _with_taken_id(block: JsonMapping) -> JsonMapping:
    key = _ID_OF[block["type"]]
    return {**block, key: taken_id(block[key])}


def _is_taken(block: JsonMapping) -> bool:
    key = _ID_OF.get(block["type"])
    identifier = block.get(key) if key is not None else None
    return taken_id(identifier) is identifier


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str)


def _blocks(turns: Sequence[JsonMapping]) -> Iterator[JsonMapping]:
    for turn in turns:
        yield from turn["content"] if isinstance(turn["content"], list) else ()
