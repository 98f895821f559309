"""Rows of a data set: one JSON object a line, `{"text": "…", "label": true}`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One text and the truth about it: whether there is something to find, or the names of what there is. Members that
    are not known are the data set's own."""

    text: str
    label: bool | tuple[str, ...]

    @property
    def positive(self) -> bool:
        """Whether there is something to find."""
        return bool(self.label)

    @property
    def entities(self) -> tuple[str, ...]:
        """The names of what there is, each once."""
        return tuple(dict.fromkeys(self.label)) if isinstance(self.label, tuple) else ()


class BadRow(msgspec.Struct, frozen=True):
    """One line that is no row, and why. It holds nothing of the line."""

    line: int
    problem: str


class Line(NamedTuple):
    """What one line came to, and how many bytes it had."""

    number: int
    size: int
    row: Row | BadRow


_decoder = msgspec.json.Decoder(Row)


def lines(source: BinaryIO) -> Iterator[Line]:
    """Every line that is not blank, as a row or as what is wrong with it: none is left out."""
    for number, line in enumerate(source, start=1):
        if not line.isspace():
            yield Line(number, len(line), _row(number, line))


def _row(number: int, line: bytes) -> Row | BadRow:
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return BadRow(number, str(error))
