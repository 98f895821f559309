"""Words before a value that say what it is."""

from __future__ import annotations

import re
from typing import Final

from sentinel_plugins.guarding.entity_names import SECRETS, STRUCTURED
from sentinel_plugins.guarding.tail import ANYWHERE, searching, utf8

_LINK: Final = (
    r"[\"'*_`\x{201d}\x{2019}\x{bb}]{0,3}"
    r"(?:[ \t]{0,16}(?:is|was|ist|war|est|es|nr|no|number|[:=#(.>|-]{1,2}))*[ \t]{0,16}"
    r"[\"'`*(\x{201c}\x{2018}\x{201e}\x{ab}]{0,3}\z"
)
"""What stands between a label and its value: `password: "`, `born on `, `**SSN** is `, `| DOB | `, with any quotes. In
what programs print, values stand one below the other: up to so many spaces."""
_CUT: Final = "A"
"""Stands for the beginning of a word of which only the end is read."""
_NOTHING: Final = "[]"
_PLACEHOLDER: Final = re.compile(
    rf"(?:\A{_CUT}(?P<cut>[A-Z0-9_]*)|(?:(?<!\w)|(?<=\A{_CUT}))\[(?P<name>[A-Z0-9_]+))(?P<code>:[a-p]{{16}})?\]",
    re.ASCII,
)
"""What stands for a value that is gone, or the end of it, says nothing of what follows. Right behind a word it is code
that looks something up by a constant."""
_RECOGNISED: Final = ("DE_SOCIAL_SECURITY", "IN_PAN", "IT_IDENTITY_CARD", "MAC_ADDRESS", "US_ITIN")
"""Presidio's names that say a word."""
_NAMES: Final = frozenset((*STRUCTURED, *SECRETS, *_RECOGNISED))
_ENDS: Final = frozenset(name[at:] for name in _NAMES for at in range(len(name) + 1))


def _read(placeholder: re.Match[str]) -> str:
    """What is read of something that may be one: nothing, if there is such an entity, or a code that guards write."""
    name, cut = placeholder["name"], placeholder["cut"]
    if placeholder["code"] or name in _NAMES or cut in _ENDS:
        return _NOTHING
    return placeholder[0]


class Label:
    """Looks for words in the characters before a value: anywhere in them, or right before it (`adjacent`), with at most
    a few signs and a verb between."""

    def __init__(
        self, words: str, *, left: int, adjacent: bool = False, names: str = "", right_behind: str = ""
    ) -> None:
        """`words` is a pattern's alternatives (RE2), in any case; `left` says how many characters are read. `names` are
        such alternatives as well, written as inside the name of a field: `Phone` is found in `homePhone` and in
        `phoneNumber`. `right_behind` are patterns of all that stands up to the value, from the character before a word
        on."""
        behind = _LINK if adjacent else r"(?:[^a-z]|\z)"
        spoken = rf"(?:^|[^a-z])(?:{words}" + (rf"|(?:{names})(?:num(?:ber)?|no|nr)?)" if names else ")")
        inside = rf"|(?-i:[a-z0-9](?:{names})(?:Num(?:ber)?|No|Nr)?)" if names else ""
        close = rf"|(?:{right_behind})\z" if right_behind else ""
        self._search = searching(f"(?i)(?:{spoken}{inside}){behind}{close}".encode())
        self._left = left

    def before(self, text: str, start: int) -> bool:
        """Whether one of the words is there."""
        left = start - self._left
        read = text[:start] if left <= 0 else _CUT + text[left:start]
        return self._holds(_PLACEHOLDER.sub(_read, read) if "]" in read else read)

    def may_be_in(self, text: str) -> bool:
        """Whether one of the words, if they need not be adjacent, is anywhere: else it is before no value."""
        return self._holds(text)

    def _holds(self, text: str) -> bool:
        read = utf8(text)
        return self._search(ANYWHERE, read, 0, len(read))[0][0] >= 0
