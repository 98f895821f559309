"""What guards look for in texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol, TypeAlias

import msgspec

Family: TypeAlias = Literal["pii", "secret"]


class Found(msgspec.Struct, frozen=True, order=True):
    """One occurrence: `text[start:end]` of the text that was searched is a value of this kind."""

    start: int
    end: int
    entity: str
    family: Family


class Entity(Protocol):
    """One kind of value, such as e-mail addresses or the keys of one vendor.

    Whether `text[start:end]` is one depends on nothing but those characters, on `left` characters before them, and on
    what follows them as far as `live_from` waits for it, mostly one character: what is found does not depend on how a
    text was cut into chunks. It never takes more than time linear in the text.
    """

    @property
    def name(self) -> str:
        """As Presidio names it where Presidio has it: `EMAIL_ADDRESS`.
        https://microsoft.github.io/presidio/supported_entities/"""

    @property
    def family(self) -> Family:
        """Whether it belongs to a person or opens a door."""

    @property
    def max_length(self) -> int:
        """Characters of the longest value that is found."""

    @property
    def left(self) -> int:
        """Characters before a value that may decide whether it is one, such as the words `card no.`."""

    @property
    def trigger(self) -> str:
        """An RE2 pattern that matches in every text that holds a value, and in few others. All triggers are searched
        for at once; only where this one is there, `find` is asked."""

    @property
    def live(self) -> str:
        """An RE2 pattern that matches every beginning of a value, and every value: `live_from` for many at once."""

    def find(self, text: str) -> Iterator[Found]:
        """Every value in the text, in order, none inside another: the leftmost first, of those the longest."""
        ...

    def live_from(self, text: str) -> int:
        """Where, at the end of the text, something begins that more text could make a value, a longer one, or none; the
        length of the text where nothing does. At most `max_length` before the end."""
        ...
