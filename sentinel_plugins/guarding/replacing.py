"""What stands in the place of a value."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Literal, TypeAlias

from sentinel_plugins.guarding.entity import Found

Action: TypeAlias = Literal["block", "redact", "mask", "hash", "reversible", "warn"]
"""What is done about a value: refuse the text, write what it is, keep its last four characters, write the same code
for the same value, or one that the caller does not see, or only say that it is there."""

Replacement: TypeAlias = Callable[[Found, str], str]

_SHOWN = 4
_LONG_ENOUGH = 10
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_CODE = 16


def redacted(found: Found, value: str) -> str:
    """The kind of the value: `[EMAIL_ADDRESS]`."""
    return f"[{found.entity}]"


def masked(found: Found, value: str) -> str:
    """Stars, and the last four characters; stars only for what has fewer than ten."""
    shown = value[-_SHOWN:] if len(value) >= _LONG_ENOUGH else ""
    return "*" * (len(value) - len(shown)) + shown


class Hashed:
    """The kind of the value and a code of letters that only whoever has the key can compute: equal for equal values of
    one tenant, and of no other. `[EMAIL_ADDRESS:ncfkbhopmgagdjle]`"""

    def __init__(self, key: bytes, tenant: str) -> None:
        self._key = hmac.digest(key, tenant.encode(), sha256)

    def __call__(self, found: Found, value: str) -> str:
        """The code of one value."""
        digest = hmac.digest(self._key, f"{found.entity}:{value}".encode(), sha256)
        return f"[{found.entity}:{digest.hex()[:_CODE].translate(_LETTERS)}]"  # no digits: they could be another value


REPLACEMENTS: Mapping[Action, Replacement] = {"redact": redacted, "mask": masked}
"""Those that need no key."""
