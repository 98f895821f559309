"""What Zion said."""

from __future__ import annotations

from typing import TypeAlias

from sentinel_core.latest import Latest
from sentinel_plugins.auth.known import MAX_KNOWN
from sentinel_plugins.auth.zion.account import Account
from sentinel_plugins.auth.zion.wire import ZionUser

Validated: TypeAlias = tuple[ZionUser, float]
"""Whose token it is, and when Zion said so, in monotonic seconds."""


class Heard:
    """Users by the fingerprints of their tokens, and the accounts of users by their external ids, with what they used
    here since."""

    def __init__(self) -> None:
        self.users: Latest[bytes, Validated] = Latest(MAX_KNOWN)
        self.accounts: Latest[str, Account] = Latest(MAX_KNOWN)

    def __repr__(self) -> str:
        return f"Heard({dict(self.users)}, {list(self.accounts)})"
