"""Words before a value that say what it is."""

from __future__ import annotations

from typing import Final

from sentinel_plugins.guarding.tail import ANYWHERE, searching, utf8

_LINK: Final = (
    r"[\"'*_`]{0,3}(?:[ \t]{0,3}(?:is|was|ist|war|est|es|nr|no|number|[:=#(.>-]{1,2}))*[ \t]{0,3}[\"'`*(]{0,3}\z"
)
"""What stands between a label and its value: `password: "`, `born on `, `**SSN** is `."""


class Label:
    """Looks for words in the characters before a value: anywhere in them, or right before it (`adjacent`), with at most
    a few signs and a verb between."""

    def __init__(self, words: str, *, left: int, adjacent: bool = False) -> None:
        """`words` is a pattern's alternatives (RE2), in any case; `left` says how many characters are read."""
        behind = _LINK if adjacent else r"(?:[^a-z]|\z)"
        self._search = searching(rf"(?i)(?:^|[^a-z])(?:{words}){behind}".encode())
        self._left = left

    def before(self, text: str, start: int) -> bool:
        """Whether one of the words is there."""
        read = utf8(text[max(0, start - self._left) : start])
        return self._search(ANYWHERE, read, 0, len(read))[0][0] >= 0
