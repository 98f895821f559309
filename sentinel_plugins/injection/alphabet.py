"""Changes of letters, each by itself, in texts whose alphabet has a code of one byte: one pass over bytes instead of a
look at each letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

LATIN: Final = "latin-1"
WESTERN: Final = "cp1252"
"""Latin-1 with the quotation marks, dashes and ligatures that are written today."""
CYRILLIC: Final = "cp1251"
_CONTROLS: Final = bytes(range(0x80, 0xA0))
_LETTER_OF: Final[Mapping[str, str]] = {
    chr(byte): letter for byte in _CONTROLS if (letter := bytes([byte]).decode(WESTERN, "ignore"))
}
"""The letters of cp1252 that stand where Latin-1 has controls."""
_CONTROL_OF: Final[Mapping[str, str]] = {letter: control for control, letter in _LETTER_OF.items()}
_BEYOND_LATIN: Final[Mapping[int, tuple[str, ...]]] = {
    0x01: (WESTERN,),
    0x02: (WESTERN,),
    0x04: (CYRILLIC,),
    0x20: (WESTERN, CYRILLIC),
    0x21: (WESTERN, CYRILLIC),
}
"""What a text may be written in whose first character beyond Latin-1 is of this page of Unicode (its number / 256)."""


class ByLetter:
    """A change of texts that says of each letter what becomes of it, whatever stands beside it."""

    def __init__(self, change: Callable[[str], str]) -> None:
        """`change` is asked once for each letter of each alphabet, and for texts of no such alphabet as a whole."""
        self._change = change
        self._latin = _Code(LATIN, change)
        self._others = {WESTERN: _Western(change), CYRILLIC: _Code(CYRILLIC, change)}

    def __call__(self, text: str) -> str:
        """The changed text."""
        changed = self.of(text)
        return changed if changed is not None else self._change(text)

    def of(self, text: str) -> str | None:
        """The changed text; None where it has letters from elsewhere, or of several alphabets."""
        try:
            return self._latin.changed(text)
        except UnicodeEncodeError as error:
            page = ord(text[error.start]) >> 8
        for code in _BEYOND_LATIN.get(page, ()):
            try:
                return self._others[code].changed(text)
            except UnicodeEncodeError:
                continue
        return None


class _Code:
    """The change in one code: a table of bytes, those that are dropped, and letters that become several, or others that
    the code does not have."""

    def __init__(self, name: str, change: Callable[[str], str]) -> None:
        self._name = name
        table, dropped = bytearray(range(256)), bytearray()
        self._longer: dict[str, str] = {}
        for byte in range(256):
            letter = bytes([byte]).decode(name, "ignore")  # some bytes stand for none
            changed = change(letter)
            if letter and not changed:
                dropped.append(byte)
            elif len(changed) == 1 and (encoded := changed.encode(name, "ignore")) and self._holds(byte, encoded[0]):
                table[byte] = encoded[0]
            elif letter:
                self._longer[letter] = changed
        self._table, self._dropped = bytes(table), bytes(dropped)
        made = "".join(self._longer.values()) + bytes(new for old, new in enumerate(table) if new != old).decode(name)
        assert self._longer.keys().isdisjoint(made), "what a letter becomes is not changed again"

    def changed(self, text: str) -> str:
        """The changed text. Raises `UnicodeEncodeError` where it has letters of no byte."""
        return self._lengthened(self._in_bytes(text.encode(self._name)).decode(self._name))

    def _holds(self, byte: int, changed: int) -> bool:
        """Whether the table may hold this change."""
        return True

    def _in_bytes(self, encoded: bytes) -> bytes:
        return encoded.translate(self._table, self._dropped)

    def _lengthened(self, changed: str) -> str:
        for letter, others in self._longer.items():
            if letter in changed:
                changed = changed.replace(letter, others)
        return changed


class _Western(_Code):
    """The change in cp1252. Its letters beyond Latin-1 stand where Latin-1 has controls: the few that a text has are
    put there one by one, for the codec takes longer than all the rest."""

    def __init__(self, change: Callable[[str], str]) -> None:
        super().__init__(WESTERN, change)

    def changed(self, text: str) -> str:
        """See `_Code`."""
        latin, controls, there = text, 0, ""
        while True:
            try:
                encoded = latin.encode(LATIN)
                break
            except UnicodeEncodeError as error:
                letter = latin[error.start]
                control = _CONTROL_OF.get(letter)
                if control is None:
                    raise
                controls += latin.count(letter)
                latin = latin.replace(letter, control)
                there += control
        if len(encoded) - len(encoded.translate(None, _CONTROLS)) > controls:  # some are controls, not letters
            return super().changed(text)
        changed = self._in_bytes(encoded).decode(LATIN)
        for control in self._in_bytes(there.encode(LATIN)).decode(LATIN):
            if control in _LETTER_OF:
                changed = changed.replace(control, _LETTER_OF[control])
        return self._lengthened(changed)

    def _holds(self, byte: int, changed: int) -> bool:
        return changed not in _CONTROLS or byte in _CONTROLS
