"""A data set through the guards."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import typer
from msgspec import UNSET

from sentinel_core.printing import printable
from sentinel_plugins.guard_tools.dataset import BadRow, Row, lines
from sentinel_plugins.guard_tools.guards import Asked, Checked, Direction, Guards
from sentinel_plugins.guard_tools.score import Evaluation, Tally

Advance = Callable[[int], object]


async def evaluate(guards: Guards, rows: BinaryIO, direction: Direction, advance: Advance) -> Evaluation:
    """Every row to every guard, one after the other, so that latencies are a guard's own. `advance` hears of the bytes
    that are done. Raises `ConfigError` where no guard reads this direction."""
    tallies, bad, count = {name: Tally(name) for name in guards.reading(direction)}, list[BadRow](), 0
    for line in lines(rows):
        if isinstance(line.row, BadRow):
            bad.append(line.row)
        else:
            count += 1
            for name, tally in tallies.items():
                tally.add(line.row, await _checked(guards, name, line.row, direction))
        advance(line.size)
    unasked = tuple(name for name in guards.names if name not in tallies)
    return Evaluation(direction, count, tuple(bad), tuple(tally.score() for tally in tallies.values()), unasked)


async def _checked(guards: Guards, name: str, row: Row, direction: Direction) -> Checked:
    """What a guard says of a row, in the time that it takes without being asked for places; with those where the row
    gives places."""
    asked = Asked.of(row.text, direction)
    checked = await guards.check(name, asked, tell=False)
    if row.spans is UNSET:
        return checked
    return checked._replace(findings=(await guards.check(name, asked)).findings)


@contextmanager
def progress(rows: BinaryIO) -> Iterator[Advance]:
    """A bar over the bytes of a file, where somebody looks at standard error. A pipe has no length to show."""
    size = os.fstat(rows.fileno()).st_size if sys.stderr.isatty() else 0
    if not size:
        yield lambda size: None
        return
    with typer.progressbar(length=size, label=printable(rows.name), file=sys.stderr) as bar:
        yield bar.update
