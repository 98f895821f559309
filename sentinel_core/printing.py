"""What commands print: tables that fit their contents, and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int | None = None) -> str:
    """Columns under their names, as wide as they need to be. All are flush left, or the first `left` of them and the
    rest, which are numbers, flush right."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = len(head) if left is None else left
    sides = [str.ljust] * texts + [str.rjust] * (len(head) - texts)
    return "\n".join("  ".join(map(_placed, sides, line, widths)).rstrip() for line in lines)


def _placed(side: Callable[[str, int], str], cell: str, width: int) -> str:
    return side(cell, width)


def as_json(value: object) -> str:
    """Structs, mappings and lists as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()
