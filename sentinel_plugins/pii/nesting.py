"""How deep in JSON a place of a text is: strings that hold JSON hold strings again."""

from __future__ import annotations

from typing import Literal

_DEEPEST = 4
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class Nesting:
    """Reads a text in pieces, cut anywhere. `depth` counts the strings around its end, where it is JSON at all."""

    def __init__(self) -> None:
        self._levels = [_Level()]

    @property
    def depth(self) -> int:
        """How many times a text has to be escaped that is put here."""
        return len(self._levels) - 1

    def feed(self, text: str) -> None:
        """Read on."""
        for character in text:
            self._read(character)

    def _read(self, character: str) -> None:
        levels = self._levels
        for depth, level in enumerate(levels, 1):
            was = level.in_string
            meant = level.read(character)
            if level.in_string != was:
                del levels[depth:]
                if level.in_string and depth <= _DEEPEST:
                    levels.append(_Level())
            if not meant:
                return
            character = meant


class _Level:
    """One text, which is JSON if it begins as an object or a list does."""

    __slots__ = ("_digits", "_escape", "_kind", "in_string")

    def __init__(self) -> None:
        self._kind: Literal["", "json", "text"] = ""
        self._escape = False
        self._digits = 0
        self.in_string = False

    def read(self, character: str) -> str:
        """What the character says in the string that it stands in; nothing where there is none, or not yet."""
        if not self._kind and not character.isspace():
            self._kind = "json" if character in "{[" else "text"
        if self._kind != "json":
            return ""
        if self.in_string:
            return self._inside(character)
        self.in_string = character == '"'
        return ""

    def _inside(self, character: str) -> str:
        if self._digits:
            self._digits -= 1
            return "" if self._digits else "\N{REPLACEMENT CHARACTER}"
        if self._escape:
            self._escape = False
            if character == "u":
                self._digits = 4
                return ""
            return _ESCAPES.get(character, character)
        if character == "\\":
            self._escape = True
        elif character == '"':
            self.in_string = False
        else:
            return character
        return ""
