"""What commands print: problems, and tables that fit their contents."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import msgspec

from sentinel_core.errors import ConfigProblem


def complain(problems: Sequence[ConfigProblem]) -> None:
    """List every problem on standard error."""
    count = len(problems)
    print(f"{count} problem{'s' if count > 1 else ''} in the configuration:", file=sys.stderr)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Left-aligned columns under their names, as wide as they need to be."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = ("  ".join(map(str.ljust, line, widths)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def as_json(value: object) -> str:
    """Structs, mappings and lists as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()
