"""Where a text is cut into what is recognised at once."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 400
"""Characters of the longest segment."""
_SPACE_FROM: Final = 350
"""Characters after which white space ends a segment, sentence or not."""
_END = re.compile(
    r"""[.!?\u2026\n\u3002\uff01\uff1f](?:(?<=[\n\u3002\uff01\uff1f])"""
    r"""|(?<![.!?\u2026][.!?\u2026])[.!?\u2026]*+["')\]*_\u2019\u201d\u00bb]{0,4}\s)"""
)
"""A line break or a full stop of Chinese; or the first of some marks, with white space behind them. It begins with a
set of characters, which is searched for as fast as memory allows."""
_SPACE = re.compile(r"\s")
_SHORT = re.compile(
    r"(?<![^\W\d_])(?:[^\W\d_]|Capt|Col|Dr|Fr|Gen|Gov|Hon|Jr|Lt|Mr|Mrs|Ms|Mt|No|Prof|Rep|Rev|Sen|Sgt|Sr|St|vs)\Z"
)
"""What a full stop makes short, right before it. `J. Smith` and `Dr. Smith` stay together."""
_SHORT_CHARS: Final = 6


class Segments:
    """Cuts one text, however it comes in pieces: at the end of a sentence or a line, at the first white space from the
    350th character on, at the latest after 400. White space at the beginning is a segment of its own. Whether a segment
    ends depends on its own characters only."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open = ""

    @property
    def open(self) -> int:
        """Characters behind the last cut."""
        return len(self._open)

    def take(self, text: str, *, end: bool = False) -> list[str]:
        """The segments that end in the next piece of the text; at the `end` of the text what is left is one."""
        self._open += text
        whole: list[str] = []
        start = 0
        while stop := _cut(self._open, start):
            whole.append(self._open[start:stop])
            start = stop
        self._open = self._open[start:]
        if end and self._open:
            whole.append(self._open)
            self._open = ""
        return whole


def _cut(text: str, start: int) -> int:
    """Where the segment ends that begins at `start`; 0 as long as it goes on."""
    head = text[start : start + LONGEST]
    if head[:1].isspace():
        return start + 1
    space = _SPACE.search(head, _SPACE_FROM) if len(head) > _SPACE_FROM else None
    limit = space.end() if space is not None else LONGEST
    for match in _END.finditer(head, 0, limit):
        if match.group()[-1] == "\n" or not _is_short(head, match.start()):
            return start + match.end()
    return start + limit if limit <= len(head) else 0


def _is_short(segment: str, stop: int) -> bool:
    """Whether the mark there is a full stop that belongs to the word before it."""
    return segment[stop] == "." and _SHORT.search(segment[max(0, stop - _SHORT_CHARS) : stop]) is not None
