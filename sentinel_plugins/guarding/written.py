"""Texts as they are written: plain ones, and the arguments of tool calls, JSON whose strings hold the values."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec
from msgspec.structs import replace

from sentinel_core.errors import Refusal
from sentinel_plugins.guarding.handover import Mark
from sentinel_plugins.guarding.replacing import Numbers
from sentinel_plugins.guarding.transducer import Piece, joined


class Replacer(Protocol):
    """Takes one text in pieces and gives back what leaves, as `Transducer` does."""

    def feed(self, text: str, *, end: bool = False) -> list[Piece]:
        """The next piece of the text; at the `end` of the text everything that was held leaves as well."""
        ...


Make: TypeAlias = Callable[[str], Replacer]
"""A replacer for one text, given what stands to its left."""
Note: TypeAlias = Callable[[int, int, str], object]
"""Hears of each stretch that leaves as another: where it begins and ends as it was written, and what leaves."""

_PLAIN = re.compile(r'[^"\\]+')
_BARE = re.compile(r'[^\s"{}\[\],:]+')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS = frozenset({"null", "true", "false"})
_SPACE = re.compile(r"\s*")
_BEHIND = ("", ",", "]", "}", '"')
_BETWEEN = re.compile(r"[\s{}\[\],:]+")
_HIGH, _LOW, _HEX = "[dD][89abAB][0-9a-fA-F]{2}", "[dD][c-fC-F][0-9a-fA-F]{2}", "[0-9a-fA-F]"
_ESCAPE = re.compile(rf'\\(?:u{_HIGH}\\u{_LOW}|u{_HEX}{{4}}|["\\/bfnrt])')
_UNFINISHED = re.compile(rf"\\(?:u(?:{_HEX}{{0,3}}|{_HIGH}(?:\\(?:u{_HEX}{{0,3}})?)?))?")
_LONGEST_BARE = 1024
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(str).decode


class PlainText:
    """Takes text in pieces and gives it back with its values replaced."""

    def __init__(self, replacer: Replacer, note: Note | None = None) -> None:
        self._replacer = replacer
        self._told = note
        self._held = ""
        self._gone = 0
        self._pieces: list[Piece] = []

    def feed(self, text: str, *, end: bool = False) -> str:
        """What leaves of the next piece; at the `end` of the text everything that was held."""
        held = self._held + text
        self._pieces = pieces = self._replacer.feed(text, end=end)
        if self._told is not None:
            self._gone = noted(self._gone, pieces, self._told)
        if not pieces:
            self._held = held
            return ""
        if len(pieces) == 1 and pieces[0].text is None:
            taken = pieces[0].taken
            self._held = held[taken:]
            return held[:taken]
        self._held = held[sum(piece.taken for piece in pieces) :]
        return joined(held, pieces)

    def marks(self) -> Sequence[Mark]:
        """The values in what left last, and where they stand in it."""
        marks, at = [], 0
        for piece in self._pieces:
            gone = piece.text is not None
            end = at + (len(piece.text) if piece.text is not None else piece.taken)
            if piece.value is not None:
                marks.append(Mark(at, end, piece.value, gone))
            at = end
        return marks


class JsonText:
    """Takes JSON in pieces and gives it back with the values in its strings, keys and numbers replaced, no less valid.

    Values are looked for in what a string says, not in how it is written: `\\u0040` is an @. What is not replaced
    leaves byte for byte. A number in which there is a value becomes a string, or raises `Refusal`. Text that is no JSON
    is taken as it is, and what stands in JSON where none may is one text up to the next quote.
    """

    def __init__(self, make: Make, left: int, numbers: Numbers = "string", *, note: Note | None = None) -> None:
        self._make = make
        self._left = left
        self._told = note
        self._gone = 0
        self._numbers = numbers
        self._before = ""
        self._kind: Literal["", "json", "text"] = ""
        self._pending = ""
        self._text: Replacer | None = None
        self._loose: Replacer | None = None
        self._held = ""
        self._written: deque[str] = deque()
        self._plain: PlainText | None = None

    def marks(self) -> None:
        """Nothing is said about them: a value that is replaced in here has to stay valid JSON."""

    def feed(self, text: str, *, end: bool = False) -> str:
        """What leaves of the next piece; at the `end` of the text everything that was held."""
        if not self._kind:
            return self._begin(text, end=end)
        if self._plain is not None:
            return self._plain.feed(text, end=end)
        return self._read(text, end=end)

    def _begin(self, text: str, *, end: bool) -> str:
        text = self._pending + text
        self._pending = ""
        first = text.lstrip()[:1]
        if not first:
            if end:
                return text
            self._pending = text
            return ""
        self._kind = "json" if first in '{["' else "text"
        if self._kind == "text":
            self._plain = PlainText(self._make(""), self._told)
        return self.feed(text, end=end)

    def _read(self, text: str, *, end: bool) -> str:
        text = self._pending + text
        self._pending = ""
        out: list[str] = []
        at = 0
        while at < len(text):
            step = self._step(text, at, out, end)
            if step == at:
                self._pending = text[at:]
                break
            at = step
        if end and self._text is not None:
            out.append(self._leave(self._text.feed("", end=True)))
        if end and self._loose is not None:
            out.append(self._left_of(self._loose.feed("", end=True)))
        return "".join(out)

    def _step(self, text: str, at: int, out: list[str], end: bool) -> int:
        """Read on in what stands there; where that ends."""
        if self._text is not None:
            return self._string(text, at, out, end=end)
        if text[at] == '"':
            return self._quote(out) + at
        if self._loose is not None:
            return self._astray(text, at, out, self._loose)
        between = _BETWEEN.match(text, at)
        if between is not None:
            out.append(between[0])
            self._gone += len(between[0])
            self._note(between[0])
            return between.end()
        return self._bare(text, at, out, end)

    def _quote(self, out: list[str]) -> int:
        """A string begins; how long that is."""
        if self._loose is not None:
            out.append(self._left_of(self._loose.feed("", end=True)))
            self._loose = None
        out.append('"')
        self._gone += 1
        self._text = self._begun()
        self._note('"')
        return 1

    def _bare(self, text: str, at: int, out: list[str], end: bool) -> int:
        """A number or a literal, held until it ends; or what is no JSON. A literal is no text, and leaves as it is: a
        model may take `null` for a name."""
        match = _BARE.match(text, at, at + _LONGEST_BARE)
        bare = match[0] if match is not None else ""
        space = _SPACE.match(text, at + len(bare), at + _LONGEST_BARE)
        ends = space.end() if space is not None else at + len(bare)
        if ends - at < _LONGEST_BARE:
            if ends == len(text) and not end:
                return at
            if text[ends : ends + 1] in _BEHIND and (bare in _LITERALS or _NUMBER.fullmatch(bare)):
                pieces = [Piece(len(bare))] if bare in _LITERALS else self._begun().feed(bare, end=True)
                self._went(pieces)
                out.append(self._quoted(bare, joined(bare, pieces)))
                self._note(bare)
                return at + len(bare)
        self._loose = self._begun()
        return self._astray(text, at, out, self._loose)

    def _astray(self, text: str, at: int, out: list[str], replacer: Replacer) -> int:
        """Read on in what is no JSON, as one text up to the next quote: taken for JSON, values in it would be cut where
        there are colons, commas and brackets. Where that ends."""
        quote = text.find('"', at)
        stop = quote if quote >= 0 else len(text)
        self._held += text[at:stop]
        out.append(self._left_of(replacer.feed(text[at:stop])))
        self._note(text[at:stop])
        return stop

    def _left_of(self, pieces: list[Piece]) -> str:
        """What leaves of what is no JSON."""
        self._went(pieces)
        out: list[str] = []
        at = 0
        for piece in pieces:
            written = self._held[at : at + piece.taken]
            out.append(written if piece.text is None else self._quoted(written, piece.text))
            at += piece.taken
        self._held = self._held[at:]
        return "".join(out)

    def _quoted(self, written: str, text: str) -> str:
        """What leaves in the place of something outside of strings: a string, if it is another."""
        if text == written:
            return written
        if self._numbers == "block":
            raise Refusal("content_policy_violation")
        return _encode(text).decode()

    def _begun(self) -> Replacer:
        """What takes the text that begins now."""
        return self._make(self._before[-self._left :] if self._left else "")

    def _string(self, text: str, at: int, out: list[str], *, end: bool) -> int:
        """Read on in a string, up to its end or as far as the text goes, and look at all of that at once: piece by
        piece what is held would be searched again for each escape. Where that ends."""
        assert self._text is not None
        at, meant = self._inside(text, at, end=end)
        self._note(meant)
        if at == len(text) or text[at] != '"':
            out.append(self._leave(self._text.feed(meant)))
            return at
        out.append(self._leave(self._text.feed(meant, end=True)) + '"')
        self._gone += 1
        self._text = None
        self._note('"')
        return at + 1

    def _inside(self, text: str, at: int, *, end: bool) -> tuple[int, str]:
        """Where the string ends, or what may be the beginning of an escape; and what is said up to there."""
        meant: list[str] = []
        while at < len(text) and text[at] != '"':
            if text[at] == "\\":
                written = self._escape(text, at, end=end)
                if not written:
                    break
                meant.append(_meaning(written))
                self._written.append(written)
            else:
                match = _PLAIN.match(text, at)
                written = match[0] if match is not None else ""
                meant.append(written)
                self._written.extend(written)
            at += len(written)
        return at, "".join(meant)

    def _escape(self, text: str, at: int, *, end: bool) -> str:
        """The escape that begins here, or the backslash alone if it is none; empty if it may go on."""
        if not end and _UNFINISHED.fullmatch(text, at):
            return ""
        match = _ESCAPE.match(text, at)
        return match[0] if match is not None else "\\"

    def _leave(self, pieces: list[Piece]) -> str:
        out: list[str] = []
        for piece in pieces:
            written = "".join([self._written.popleft() for _ in range(piece.taken)])
            out.append(written if piece.text is None else _encode(piece.text).decode()[1:-1])
            self._went([replace(piece, taken=len(written))])
        return "".join(out)

    def _went(self, pieces: Iterable[Piece]) -> None:
        if self._told is not None:
            self._gone = noted(self._gone, pieces, self._told)

    def _note(self, text: str) -> None:
        if self._left:
            self._before = (self._before + text)[-max(self._left, 1) :]


def noted(at: int, pieces: Iterable[Piece], note: Note) -> int:
    """Tell what leaves as another, of pieces that begin at `at`; where they end."""
    for piece in pieces:
        if piece.text is not None:
            note(at, at + piece.taken, piece.text)
        at += piece.taken
    return at


def _meaning(written: str) -> str:
    """The one character that an escape stands for. Half of a pair stands for none: U+FFFD is read in its place."""
    if len(written) == 1:
        return written
    if len(written) == 6 and written[2] in "dD" and written[3] in "89abcdefABCDEF":
        return "\N{REPLACEMENT CHARACTER}"
    return _decode(f'"{written}"')
