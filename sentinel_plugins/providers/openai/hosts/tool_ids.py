"""Ids of tool calls for a host that takes only nine letters and digits, and the way back."""

from __future__ import annotations

import hashlib
import re

_SHORT = re.compile(r"[A-Za-z0-9]{9}")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 9


class ToolIds:
    """The ids of one request. An id keeps its short form from turn to turn, so that a host's prompt cache holds."""

    __slots__ = ("_long", "_short")

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._short: dict[str, str] = {}
        self._long: dict[str, str] = {name: name for name in taken if _SHORT.fullmatch(name)}

    def short(self, identifier: str) -> str:
        """The id as the host takes it: itself where it fits, else one that nothing else in this request has."""
        if _SHORT.fullmatch(identifier):
            return identifier
        known = self._short.get(identifier)
        if known is None:
            known = self._free(identifier)
            self._short[identifier] = known
            self._long[known] = identifier
        return known

    def long(self, identifier: str) -> str:
        """The caller's own id behind one that the host gave back; the host's new ids stay as they are."""
        return self._long.get(identifier, identifier)

    def _free(self, identifier: str) -> str:
        attempt = 0
        while True:
            digest = hashlib.sha256(f"{attempt}:{identifier}".encode("utf-8", "surrogatepass")).digest()
            short = "".join(_DIGITS[byte % len(_DIGITS)] for byte in digest[:LENGTH])
            if short not in self._long:
                return short
            attempt += 1
