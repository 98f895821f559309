"""Where in a chunk the event stands that was made of it."""

from __future__ import annotations

import msgspec

from sentinel_core.dialects.slots import Path
from sentinel_core.json_types import JsonMapping

FUNCTION_CALL = -1
"""The tool-call index of the deprecated `function_call`."""


def is_custom(call: JsonMapping) -> bool:
    """Whether a call is of a tool that takes free text, which stands in a member of its own."""
    return isinstance(call.get("custom"), dict) and not isinstance(call.get("function"), dict)


class Place(msgspec.Struct, frozen=True):
    """Where one event stands in a chunk: the choice's position in `choices`, the delta's key, the tool call's
    position. `key` is also `finish_reason`, `usage` or `$opaque`, which names the `paths` of its strings."""

    key: str
    choice: int = 0
    tool: int = 0
    paths: tuple[Path, ...] = ()
