"""Commands as they are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from hiredis import pack_command

Argument: TypeAlias = bytes | str | int

_pack: Callable[[tuple[Argument, ...]], bytes] = cast("Any", pack_command)  # its stub knows commands of one word only


def packed(*words: Argument) -> bytes:
    """One command."""
    return _pack(words)
