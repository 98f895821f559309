"""One text through every guard."""

from __future__ import annotations

from bisect import bisect_left
from typing import Literal

import msgspec

from sentinel_plugins.guard_tools.guards import Asked, Checked, Direction, Guards


class SeenFinding(msgspec.Struct, frozen=True):
    """One thing that was found: what it is and what is done about it, the line on which it begins, counted from 1, and
    the characters (code points) of the text that it takes."""

    type: str
    action: str
    line: int
    start: int
    end: int


class Seen(msgspec.Struct, frozen=True):
    """What one guard said: its verdict, the lines that it would change, counted from 1, and what it found, if it tells
    that; nothing of the text. Lines are empty for a guard that changes nothing, and null for one that changes how many
    there are. With `only_unseen`, all it would change is that it takes out characters that nobody sees."""

    guard: str
    result: str
    lines: tuple[int, ...] | None = ()
    findings: tuple[SeenFinding, ...] = ()
    only_unseen: bool = False


class Scan(msgspec.Struct, frozen=True):
    """What `sentinel scan` says of one file."""

    file: str
    direction: Direction
    result: Literal["clean", "found", "incomplete"]
    guards: tuple[Seen, ...]
    unasked: tuple[str, ...] = ()
    """Guards that read no texts of this direction. They were not asked."""


async def scan(guards: Guards, name: str, text: str, direction: Direction) -> Scan:
    """The text as one message. What a guard could not judge makes a scan incomplete, unless another found something.
    Raises `ConfigError` where no guard reads this direction."""
    names = guards.reading(direction)
    checked = [await guards.check(guard, Asked.of(text, direction)) for guard in names]
    result: Literal["clean", "found", "incomplete"] = "clean"
    if any(one.acted for one in checked):
        result = "found"
    elif any(one.acted is None for one in checked):
        result = "incomplete"
    unasked = tuple(guard for guard in guards.names if guard not in names)
    return Scan(name, direction, result, tuple(_seen(text, one) for one in checked), unasked)


def _seen(text: str, checked: Checked) -> Seen:
    breaks = [at for at, character in enumerate(text) if character == "\n"] if checked.findings else []
    findings = tuple(
        SeenFinding(one.type, one.action, bisect_left(breaks, one.start) + 1, one.start, one.end)
        for one in checked.findings
    )
    return Seen(checked.guard, checked.result, changed(text, checked), findings, checked.only_unseen)


def changed(text: str, checked: Checked) -> tuple[int, ...] | None:
    """Which lines of a text a guard has changed."""
    if checked.text is None or checked.text == text:
        return ()
    before, after = text.split("\n"), checked.text.split("\n")
    if len(before) != len(after):
        return None
    return tuple(number for number, pair in enumerate(zip(before, after, strict=True), 1) if pair[0] != pair[1])
