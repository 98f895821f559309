"""Entities whose values may be longer than what is held of them."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.entities.pattern import Check, PatternEntity, holds, match_end
from sentinel_plugins.guarding.entity import Family


class OpenEnded(PatternEntity):
    """A pattern finds the beginning of a value, a check confirms it, and the value goes on as far as it can. Of one
    that is longer than `max_length`, so many characters are found, and `rest` says how far it goes on: see `Overlong`.
    """

    def __init__(
        self,
        name: str,
        family: Family,
        pattern: str,
        *,
        more: str,
        rest: str,
        trigger: str,
        live: str,
        max_length: int,
        trimmed: str = "",
        left: int = 3,
        check: Check = holds,
    ) -> None:
        """`more` matches what goes on behind what `pattern` found, which is never longer than `max_length`; `trimmed`
        are characters that a value does not end with. `rest` matches what goes on behind `max_length` characters."""
        super().__init__(
            name, family, pattern, trigger=trigger, live=live, max_length=max_length, left=left, check=check
        )
        self._more = re.compile(more, re.ASCII)
        self._rest = re.compile(rest, re.ASCII)
        self._trimmed = trimmed

    def longest(self, text: str, start: int, end: int) -> int | None:
        """See `PatternEntity`."""
        if super().longest(text, start, end) is None:
            return None
        most = start + self.max_length
        on = match_end(self._more, text, end, most)
        return on if on == most else max(end, start + len(text[start:on].rstrip(self._trimmed)))

    def rest(self, text: str) -> int:
        """See `Overlong`."""
        return open_end(self._rest, text)


def open_end(pattern: re.Pattern[str], text: str) -> int:
    """Where the match at the beginning of a text ends; -1 if that is where the text does."""
    end = match_end(pattern, text, 0, len(text))
    return -1 if end == len(text) else end
