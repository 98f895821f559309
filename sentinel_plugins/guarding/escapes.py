"""Characters that are written as escapes of URLs, HTML, JSON or program code, and what tells a terminal its colours."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

from sentinel_plugins.guarding.origins import Making, Origins, Same

_ESCAPE = re.compile(
    r"%(?P<url>[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*)"
    r"|&(?P<html>\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    r"|\\(?:[nrtbf\"'/\\]|(?P<utf16>u[0-9A-Fa-f]{4}(?:\\u[0-9A-Fa-f]{4})*)"
    r"|(?P<byte>x[0-9A-Fa-f]{2}(?:\\x[0-9A-Fa-f]{2})*)|u\{(?P<point>[0-9A-Fa-f]{1,6})\}|U(?P<long>[0-9A-Fa-f]{8})"
    r"|(?P<printed>(?:033|e)(?:\[[0-9;:?]{0,48}[A-Za-z]|\([A-Z0-9])))"
    r"|\x1b(?P<terminal>\[[0-9;:?]{0,48}[A-Za-z]|\([A-Z0-9])"
)
"""Every alternative begins with a character of its own: so the search skips to the next of them. The last two are
ECMA-48's: what a terminal is told of colours is no letter of what stands beside it."""
_LETTERS = {f"\\{letter}": meant for letter, meant in zip("nrtbf\"'/\\", "\n\r\t\b\f\"'/\\", strict=True)}
_TOLD = frozenset({"printed", "terminal"})
UNFINISHED = (
    r"(?:%[0-9A-Fa-f]{2})*%[0-9A-Fa-f]{0,2}|&\#?[A-Za-z0-9]{0,31}"
    r"|(?:\\u[0-9A-Fa-f]{4})*\\(?:u[0-9A-Fa-f]{0,4})?|(?:\\x[0-9A-Fa-f]{2})*\\(?:x[0-9A-Fa-f]{0,2})?"
    r"|\\u\{[0-9A-Fa-f]{0,6}|\\U[0-9A-Fa-f]{0,8}|\\0(?:3(?:3(?:[(]|\[[0-9;:?]{0,48})?)?)?|\\e(?:[(]|\[[0-9;:?]{0,48})?"
    r"|\x1b(?:[(]|\[[0-9;:?]{0,48})?"
)
"""The beginning of one, or of a run of them that say one character together, for RE2."""


MAY_HOLD = r"[%&\\\x1b]"
"""One that matches in every text that holds an escape."""


def may_be_in(text: str) -> bool:
    """False for most texts, at once."""
    return "%" in text or "&" in text or "\\" in text or "\x1b" in text


def unescaped(text: str) -> tuple[str, Origins]:
    """The text with escapes read, and the way back. An escape of no character stays; a byte that is
    no UTF-8 between others hides none of them."""
    if not may_be_in(text):
        return text, Same()
    making, at = Making(), 0
    for escape in _ESCAPE.finditer(text):
        meant = _LETTERS.get(escape.group()) or _meant(escape)
        if meant is not None:
            making.add(text[at : escape.start()], escape.start())
            making.add(meant, escape.end())
            at = escape.end()
    if at == 0:
        return text, Same()
    making.add(text[at:], len(text))
    return making.done()


def _meant(escape: re.Match[str]) -> str | None:
    written, kind = escape.group(), escape.lastgroup
    if kind in _TOLD:
        return " "
    try:
        if kind == "url":
            return unquote(written)
        if kind == "html":
            meant = html.unescape(written)
            return meant if meant != written else None
        if kind == "utf16":
            return bytes.fromhex(written.replace("\\u", "")).decode("utf-16-be", "replace")
        if kind == "byte":
            return bytes.fromhex(written.replace("\\x", "")).decode(errors="replace")
        return chr(int(escape[kind or ""], 16))
    except ValueError:
        return None
