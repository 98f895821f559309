"""What commands print: tables that fit their contents, and JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import msgspec

INCOMPLETE = 3
"""The exit code of a command that could not look at everything."""
UNPRINTED = 4
"""The exit code of a command whose result could not be said: a full disk, a pipe that nobody reads."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int | None = None) -> str:
    """Columns under their names, as wide as they need to be. All are flush left, or the first `left` of them and the
    rest, which are numbers, flush right. A cell is one line, and moves nothing beside it."""
    lines = [tuple(head), *(tuple(map(printable, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = len(head) if left is None else left
    sides = [str.ljust] * texts + [str.rjust] * (len(head) - texts)
    return "\n".join("  ".join(map(_placed, sides, line, widths)).rstrip() for line in lines)


def _placed(side: Callable[[str, int], str], cell: str, width: int) -> str:
    return side(cell, width)


def counted(number: int, noun: str) -> str:
    """How many of what: `1 record`, `2 records`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def as_json(value: object) -> str:
    """Structs, mappings and lists as indented JSON, which a terminal shows and does not obey."""
    return "\n".join(map(printable, msgspec.json.format(msgspec.json.encode(value)).decode().split("\n")))


def printable(text: str) -> str:
    """The text, with escapes of JSON for what would not be seen: control characters, ends of lines and the marks that
    turn the direction of writing, by which a name could rewrite what stands around it."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]


def complain(message: str) -> None:
    """Say on standard error why there is no result; nobody may be left to read that."""
    with suppress(OSError):
        print(f"sentinel: {message}", file=sys.stderr)


def unprinted(error: OSError) -> int:
    """Say that standard output takes no more, and close that: Python would try to write the rest once more when it ends
    (https://docs.python.org/3/library/signal.html#note-on-sigpipe). The exit code for it."""
    complain(f"cannot print: {error.strerror}")
    with suppress(OSError):  # what stands in for a file has no number
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNPRINTED
