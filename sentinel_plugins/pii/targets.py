"""Where in a text the target of a link or of an image stands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sentinel_plugins.pii.modes import COUNTS, ELSE, NEXT, QUOTED, Mode

_OPENING = re.compile(
    r"[(:/.<?#](?:(?P<inline>(?<=\]\())|(?P<definition>(?<=\]:))|(?P<style>(?i:(?<=url\()))|(?P<tag>(?<=<))"
    r"|(?P<address>(?<=//)|(?i:(?<=www\.)|(?<=mailto:)|(?<=xmpp:)))|(?P<host>(?<=[/?#])))"
)
"""By the last character: it is rarer than the first."""
_HOST = re.compile(r"\.(?:xn--[a-z0-9-]{1,59}|[^\x00-@\[-`{-\x7f\s]{2,24})(?::\d{1,5})?\Z", re.IGNORECASE)
"""What stands before a path where an address has no scheme: `acme.com/x`. Letters of other scripts may have marks."""
_RECENT = 70
"""Characters of the longest of these ends of a host."""
_TOKEN = re.compile(r"""[ \t\r\f\n()[{\\<>="'/:]|[^ \t\r\f\n()[{\\<>="'/:]+""")
_SIGNS = dict.fromkeys(" \t\r\f", " ") | {sign: sign for sign in "\n()[{\\<>=\"'/:"}

_BEGINS: Mapping[str, Mode] = {
    "inline": "inline begins",
    "definition": "definition begins",
    "address": "address",
    "host": "address",
    "style": "style begins",
}
_LINKING = frozenset(
    {
        *("a", "area", "audio", "base", "blockquote", "body", "button", "del", "embed", "feimage", "form", "frame"),
        *("html", "iframe", "image", "img", "input", "ins", "link", "math", "meta", "object", "q", "script", "source"),
        *("style", "svg", "table", "td", "th", "tr", "track", "use", "video"),
    }
)
"""Elements of HTML with attributes that are addresses."""
_LONGEST_NAME = max(map(len, _LINKING))


class Targets:
    """Reads a text in pieces, cut anywhere, and knows at its end whether what comes next belongs to a target.

    Targets are those of Markdown (inline, defined apart, in angle brackets, or an address that stands for itself), of
    HTML's attributes and of CSS. A place is inside of one if any way to read the text makes it one: all of them are
    followed at once. Only an address in the quotes of an attribute ends with its tag. The work is linear in the text.
    """

    def __init__(self) -> None:
        self._modes: dict[Mode, int] = {}  # with the parentheses that are open, of which the most count
        self._recent = ""
        self._name: str | None = None

    @property
    def inside(self) -> bool:
        """Whether the next character is one of a target."""
        return bool(self._modes)

    def feed(self, text: str) -> None:
        """Read on."""
        seen, before, at = self._recent + text, len(self._recent), 0
        for opening in _OPENING.finditer(seen, before):
            if opening.lastgroup == "host" and _HOST.search(seen, opening.start() - _RECENT, opening.start()) is None:
                continue
            end = opening.end() - before
            self._follow(text, at, end)
            self._open(opening.lastgroup or "")
            at = end
        self._follow(text, at, len(text))
        self._recent = seen[-_RECENT:]

    def _open(self, kind: str) -> None:
        if kind == "tag":
            self._name = ""
        else:
            mode = _BEGINS[kind]
            if mode == "address" and not QUOTED.isdisjoint(self._modes):
                mode = "address in quotes"
            self._modes[mode] = max(1, self._modes.get(mode, 0))

    def _follow(self, text: str, start: int, end: int) -> None:
        for token in _TOKEN.finditer(text, start, end) if self._modes or self._name is not None else ():
            sign = _SIGNS.get(token.group(), ELSE)
            if self._modes:
                self._step(sign)
            if self._name is not None:
                self._read_name(sign, token.group())
            elif not self._modes:
                break

    def _step(self, sign: str) -> None:
        modes: dict[Mode, int] = {}
        for mode, depth in self._modes.items():
            following = NEXT[mode][sign if sign in NEXT[mode] else ELSE]
            if mode in COUNTS and following == "inline":
                depth += (sign == "(") - (sign == ")")
            if following is not None and depth:
                modes[following] = max(depth, modes.get(following, 0))
        self._modes = modes

    def _read_name(self, sign: str, token: str) -> None:
        """What stands behind `<`. It is no target itself: so stands an address behind the name of its owner."""
        name = self._name or ""
        if not sign:
            self._name = (name + token)[: _LONGEST_NAME + 1]
            return
        self._name = None
        if sign in " \n/" and name.lower() in _LINKING:
            self._modes.setdefault("tag", 1)
        elif sign == ":" and name:
            self._modes.setdefault("address", 1)
