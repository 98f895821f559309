"""Rows of a data set: one JSON object a line, with `text` and `label`, or `spans`, or both."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Annotated, BinaryIO, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType


class Span(msgspec.Struct, frozen=True):
    """Where something is: from which character (code point) to which, and what it is."""

    start: Annotated[int, Meta(ge=0)]
    end: int
    type: str


class Row(msgspec.Struct, frozen=True):
    """One text and the truth about it: whether there is something to find, the names of what there is, or its places;
    what of this is left out follows from the rest. Members that are not known are the data set's own."""

    text: str
    label: bool | tuple[str, ...] | UnsetType = UNSET
    spans: tuple[Span, ...] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.label is UNSET and self.spans is UNSET:
            raise ValueError("a row has `label` or `spans`")
        if UNSET not in (self.label, self.spans) and bool(self.label) != bool(self.spans):
            raise ValueError("`label` and `spans` do not agree on whether there is something to find")
        for span in self.spans or ():
            if not span.start < span.end <= len(self.text):
                raise ValueError(f"no characters of the text are from {span.start} to {span.end}")

    @property
    def positive(self) -> bool:
        """Whether there is something to find."""
        return bool(self.spans if self.label is UNSET else self.label)

    @property
    def entities(self) -> tuple[str, ...]:
        """The names of what there is, each once."""
        if isinstance(self.label, tuple):
            return tuple(dict.fromkeys(self.label))
        return tuple(dict.fromkeys(span.type for span in self.spans or ()))


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
    """Every line that is not blank, as a row or as what is wrong with it: none is left out. A byte order mark in front
    of them is no part of the first one."""
    for number, line in enumerate(source, start=1):
        said = line.removeprefix(BOM_UTF8) if number == 1 else line
        if said and not said.isspace():
            yield Line(number, len(line), _row(number, said))


def _row(number: int, line: bytes) -> Row | BadRow:
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return BadRow(number, str(error))
