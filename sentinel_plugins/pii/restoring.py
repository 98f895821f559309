"""Texts in which what stands for a value becomes the value again."""

from __future__ import annotations

from typing import Protocol

import msgspec

from sentinel_plugins.guarding.redaction import Text
from sentinel_plugins.guarding.transducer import Piece
from sentinel_plugins.guarding.written import JsonText, PlainText
from sentinel_plugins.pii.nesting import Nesting
from sentinel_plugins.pii.placeholder import LENGTH, NONCE, is_placeholder, upper
from sentinel_plugins.pii.targets import Targets

_encode = msgspec.json.Encoder().encode


class Values(Protocol):
    """What stands for what."""

    @property
    def nonce(self) -> str:
        """What every placeholder begins with."""
        ...

    @property
    def needs_escapes(self) -> bool:
        """Whether JSON writes one of the values otherwise than it is."""
        ...

    def value(self, text: str) -> str | None:
        """What this text in capitals stands for, if anything."""
        ...

    def begins(self, text: str) -> bool:
        """Whether something that stands for a value begins so, in capitals."""
        ...


class AnyValue:
    """Takes every well-formed placeholder with this nonce for a value."""

    needs_escapes = False

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce

    def value(self, text: str) -> str | None:
        """Nothing at all, which is another text than any placeholder."""
        return "" if is_placeholder(text) else None

    def begins(self, text: str) -> bool:
        """Whatever goes on."""
        return True


class Restored:
    """Takes one text in pieces and gives back what leaves: values in the place of what stands for them, in any case.

    Held back is only what may be the beginning of a placeholder. In the target of a link or an image it stays as it is.
    In JSON a value is written as a string there has to be, once more for every string inside of which that one stands.
    The work is linear in the text.
    """

    def __init__(self, values: Values, targets: Targets | None = None) -> None:
        """`targets` has read the text that readers see before this one."""
        self._values = values
        self._held = ""
        self._targets = targets or Targets()
        self._nesting = Nesting() if values.needs_escapes else None

    def feed(self, text: str, *, end: bool = False) -> list[Piece]:
        """The next piece of the text; at the `end` of the text everything that was held leaves as well."""
        text = self._held + text
        read = upper(text)
        pieces: list[Piece] = []
        at = start = 0
        limit = len(text)
        while (start := read.find(self._values.nonce, start)) >= 0:
            stop = start + LENGTH
            if stop > len(text) and not end and self._values.begins(read[start:]):
                limit = start
                break
            value = self._values.value(read[start:stop])
            if value is None:
                start += 1
                continue
            self._pass(text[at:start], pieces)
            pieces.append(Piece(LENGTH, self._put(value)))
            self._read(text[start:stop])
            at = start = stop
        if not end:
            limit = min(limit, max(at, self._begun(read)))
        self._pass(text[at:limit], pieces)
        self._held = text[limit:]
        return pieces

    def _begun(self, read: str) -> int:
        """Where, at the end of the text, a nonce begins."""
        for length in range(min(NONCE - 1, len(read)), 0, -1):
            if read.endswith(self._values.nonce[:length]):
                return len(read) - length
        return len(read)

    def _pass(self, text: str, pieces: list[Piece]) -> None:
        if text:
            pieces.append(Piece(len(text)))
            self._read(text)

    def _read(self, text: str) -> None:
        self._targets.feed(text)
        if self._nesting is not None:
            self._nesting.feed(text)

    def _put(self, value: str) -> str | None:
        """The value as it is written here; None in a target."""
        if self._targets.inside:
            return None
        for _ in range(self._nesting.depth if self._nesting is not None else 0):
            value = _encode(value).decode()[1:-1]
        return value


def restored(values: Values, *, json: bool, targets: Targets | None = None) -> Text:
    """A text that begins now, behind what `targets` has read. `json` says that it is JSON, so that every string in it
    is a text of its own."""
    return JsonText(lambda _: Restored(values), 0) if json else PlainText(Restored(values, targets))
