"""What looks for values of several kinds at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from sentinel_plugins.guarding.entity import Family, Found


class Kind(Protocol):
    """What an `Entity` can do, whether its name is its class's or comes from a configuration."""

    @property
    def max_length(self) -> int:
        """Characters of the longest value that is found."""
        ...

    @property
    def left(self) -> int:
        """Characters before a value that may decide whether it is one."""
        ...

    def find(self, text: str) -> Iterable[Found]:
        """Every value, in order, none inside another."""
        ...

    def live_from(self, text: str) -> int:
        """Where, at the end of the text, the first thing begins that more text could make a value or a longer one."""
        ...


class Finder(Kind, Protocol):
    """Several kinds as one. What it promises is what each of them does."""

    def find(self, text: str) -> Sequence[Found]:
        """Every value of every kind. Those of different kinds may overlap."""
        ...

    def following(self) -> Finder:
        """The same for one text that grows: what was read of its beginning need not be read again."""
        ...


class Together:
    """What all of these find."""

    def __init__(self, finders: Iterable[Kind]) -> None:
        self._finders = tuple(finders)
        self.max_length = max((finder.max_length for finder in self._finders), default=0)
        self.left = max((finder.left for finder in self._finders), default=0)

    def find(self, text: str) -> Sequence[Found]:
        """The values of each finder."""
        return [found for finder in self._finders for found in finder.find(text)]

    def live_from(self, text: str) -> int:
        """Where the first of the finders may go on."""
        return min((finder.live_from(text) for finder in self._finders), default=len(text))

    def following(self) -> Finder:
        """See `Finder`: each of them reads the text as it is."""
        return self


class Beside:
    """What a finder finds, and one more kind."""

    def __init__(self, finder: Finder, kind: Kind) -> None:
        self._finder = finder
        self._kind = kind
        self.max_length = max(finder.max_length, kind.max_length)
        self.left = max(finder.left, kind.left)

    def find(self, text: str) -> Sequence[Found]:
        """The values of both."""
        return [*self._finder.find(text), *self._kind.find(text)]

    def live_from(self, text: str) -> int:
        """Where the first of the two may go on."""
        return min(self._finder.live_from(text), self._kind.live_from(text))

    def following(self) -> Finder:
        """See `Finder`."""
        return Beside(self._finder.following(), self._kind)


class Except:
    """What a finder finds, without the values that are allowed of a family; these are in lower case."""

    def __init__(self, finder: Finder, allowed: Mapping[Family, Collection[str]]) -> None:
        self._finder = finder
        self._allowed = allowed
        self.max_length = finder.max_length
        self.left = finder.left

    def find(self, text: str) -> Sequence[Found]:
        """The values that are not allowed."""
        found = self._finder.find(text)
        return [one for one in found if not self._is_allowed(one, text)] if found else found

    def live_from(self, text: str) -> int:
        """As the finder says: an allowed value may go on and be another."""
        return self._finder.live_from(text)

    def following(self) -> Finder:
        """See `Finder`."""
        return Except(self._finder.following(), self._allowed)

    def _is_allowed(self, found: Found, text: str) -> bool:
        return text[found.start : found.end].casefold() in self._allowed.get(found.family, ())
