"""E-mail addresses."""

from __future__ import annotations

import re
from codecs import encode

from sentinel_plugins.guarding.entities.connection_properties import NO_PASSWORD
from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import PatternEntity
from sentinel_plugins.guarding.entities.top_levels import TOP_LEVELS

_LETTER = "A-Za-z\u00c0-\u024f\u0370-\u052f"
"""Latin, Greek and Cyrillic, for internationalised names. Scripts written without spaces are left out: a sentence would
be taken for the name before the `@`."""
_WORD = f"{_LETTER}0-9_"
_MAX = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
_LEFT = 24
_WORDS = Label("e-?mails?|mailto|reply[ -]to|courriel|correo", left=_LEFT, adjacent=True, names="Mail")
"""What is said to be an address is one with any top level: new ones come every year."""
_CODE = ("git", "this", "super", "return")
"""The start of a Git remote, and of what Kotlin calls a label."""
_COMMON = ("com", "net", "org", "edu", "gov", "info", "uk", "de", "fr", "es", "eu", "nl", "ch")
_NO_METHODS = frozenset((
    *_COMMON, "cn", "jp", "kr", "tw", "hk", "sg", "ru", "ua", "pl", "cz", "hu", "ro", "gr", "pt", "se", "dk", "ie",
    "br", "mx", "ca", "au", "nz", "za",
))  # fmt: skip
"""Neither methods nor fields: what stands in brackets behind them is a remark, and a `+` before the `@` no sum."""
_RUN_ON = re.compile(f"(?:{'|'.join(sorted(_NO_METHODS))})[A-Z]")
"""A sentence that begins without a space."""
_NO_DOMAIN = re.compile("[0-9](?:[.][0-9])?x[.]|[0-9]+[.][0-9]")
"""`icon@2x.png`, `react@18.3.0-canary.abc`."""
_FILES = frozenset(("zip", "mov"))
"""Two top levels in which hardly anybody has an address, and everybody has files."""
_SOURCES = frozenset(("rs", "sh", "md", "so", "cc", "ml", "pl", "ps", "py"))
"""Those that end the names of source files as well: before the number of a line they do."""
_KNOWN = TOP_LEVELS - _FILES | {encode(name, "rot13") for name in _COMMON}
_USER = re.compile(r"://[^\s/:@]*:(?=[^\s/@]*\Z)")
_LINE = re.compile(":[0-9]")


def email_address() -> PatternEntity:
    """RFC 5321 mailboxes without quotes: up to 64 characters, `@`, a domain name with a top level that exists, or any
    where words say that it is an address. Code has the same form: `q@k.transpose(`, `getty@tty1.service`."""
    return _EmailAddress(
        "EMAIL_ADDRESS",
        "pii",
        rf"(?<![{_WORD}%+])(?<![{_WORD}][.-])[{_WORD}%+][{_WORD}.%+-]{{0,63}}@"
        rf"(?:[{_LETTER}0-9-]{{1,63}}\.){{1,8}}(?:xn--[A-Za-z0-9-]{{2,59}}|[{_LETTER}]{{2,63}})(?![{_LETTER}0-9])",
        trigger=rf"[{_WORD}.%+-]@[{_LETTER}0-9-]",
        live=rf"[{_WORD}%+][{_WORD}.%+-]*(?:@[{_LETTER}0-9.-]*:?)?",
        max_length=_MAX + 1,
        left=_LEFT,
    )


class _EmailAddress(PatternEntity):
    def longest(self, text: str, start: int, end: int) -> int | None:
        """Behind an address, a name may stand that is no part of it: `bob@acme.com.bak`."""
        at = text.index("@", start)
        if end - start > _MAX or not _is_name(text, start, at) or _NO_DOMAIN.match(text, at + 1):
            return None
        top = text[text.rindex(".", at, end) + 1 : end]
        exists = _exists(text, at, end)
        if (text.startswith("(", end) or text[at - 1] == "+") and top.lower() not in _NO_METHODS:
            return None
        if _LINE.match(text, end) and (not exists or top.lower() in _SOURCES):
            return None
        if exists or _RUN_ON.match(top) or _said(text, start, end):
            return end
        while (end := text.rindex(".", at, end)) and "." in text[at:end]:
            if _exists(text, at, end):
                return end
        return None


def _is_name(text: str, start: int, at: int) -> bool:
    """Neither a word of code nor a variable, nor what stands in the place of a URL's password."""
    name = text[start:at]
    if name in _CODE or text.startswith("$", max(0, start - 1), start):
        return False
    user = _USER.search(text, max(0, start - _LEFT), start)
    return user is None or NO_PASSWORD.match(text[user.end() : at]) is None


def _exists(text: str, at: int, end: int) -> bool:
    """Whether the last name before this place is a top level, or may be one in another script. In Paraguay nobody has
    a name right below it."""
    _, *below, top = text[at + 1 : end].lower().split(".")
    return (top in _KNOWN and (top != "py" or bool(below))) or top.startswith("xn--") or not top.isascii()


def _said(text: str, start: int, end: int) -> bool:
    return (text.startswith("<", max(0, start - 1), start) and text.startswith(">", end)) or _WORDS.before(text, start)
