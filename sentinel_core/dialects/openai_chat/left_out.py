"""A chunk without the strings that stand outside its channels, where those leave in another chunk or not at all."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Final

from sentinel_core.dialects.slots import KEY, Path
from sentinel_core.json_types import JsonObject, JsonValue

_CUSTOM: Final = (KEY, "custom")
"""How the path of a call's member ends that its event is written into: its name is no text that anybody wrote."""

_USAGE: Final = ("usage",)


def left_out(body: JsonObject, paths: Iterable[Path]) -> JsonObject:
    """A copy of a chunk without the members that these strings stand in. A member leaves with all that is in it: half
    of an annotation is none. What events are written into stays: choices, deltas, calls, usage."""
    result = dict(body)
    for holder, member in dict.fromkeys(_member(path) for path in paths if path[5:] != _CUSTOM):
        if holder == _USAGE and "usage" not in result:
            continue  # it leaves in another chunk itself
        below: JsonValue = result
        for step in holder:
            below[step] = copy.copy(below[step])
            below = below[step]
        if member == "logprobs":
            below[member] = None  # clients of completions expect it
        else:
            below.pop(member, None)
    return result


def _member(path: Path) -> tuple[Path, str | int]:
    """The member that the string at this place stands in, and what holds it."""
    holder = _holder(path)
    while _is_index(path[len(holder)]):
        holder = holder[:-1]
    first = path[len(holder)]
    return holder, path[len(holder) + 1] if first == KEY else first


def _holder(path: Path) -> Path:
    """The object above this place that events are written into."""
    match path:
        case ("choices", _, "delta", "tool_calls", call, "function" | "custom", _, *_) if _is_index(call):
            return path[:6]
        case ("choices", _, "delta", "tool_calls", call, _, *_) if _is_index(call):
            return path[:5]
        case ("choices", _, "delta", "function_call", _, *_):
            return path[:4]
        case ("choices", _, "delta", _, *_):
            return path[:3]
        case ("choices", _, _, *_):
            return path[:2]
        case ("usage", _, *_):
            return _USAGE
        case _:
            return ()


def _is_index(step: str | int) -> bool:
    return isinstance(step, int) and step != KEY
