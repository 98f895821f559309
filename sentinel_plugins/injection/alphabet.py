"""Changes of letters, each by itself, in texts whose alphabet has a code of one byte: one pass over bytes instead of a
look at each letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

LATIN: Final = "latin-1"
WESTERN: Final = "cp1252"
"""Latin-1 with the quotation marks, dashes and ligatures that are written today."""
CYRILLIC: Final = "cp1251"
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
        self._others = {code: _Code(code, change) for code in (WESTERN, CYRILLIC)}

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
            elif len(changed) == 1 and (encoded := changed.encode(name, "ignore")):
                table[byte] = encoded[0]
            elif letter:
                self._longer[letter] = changed
        self._table, self._dropped = bytes(table), bytes(dropped)
        made = "".join(self._longer.values()) + bytes(new for old, new in enumerate(table) if new != old).decode(name)
        assert self._longer.keys().isdisjoint(made), "what a letter becomes is not changed again"

    def changed(self, text: str) -> str:
        """The changed text. Raises `UnicodeEncodeError` where it has letters of no byte."""
        changed = text.encode(self._name).translate(self._table, self._dropped).decode(self._name)
        for letter, others in self._longer.items():
            if letter in changed:
                changed = changed.replace(letter, others)
        return changed
