"""What a process knows of callers, whatever is reloaded: who guesses, whose credential was valid, what issuers said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.config import Secret
from sentinel_core.latest import Latest
from sentinel_core.services import ServiceKey
from sentinel_plugins.auth.digest import Fingerprints
from sentinel_plugins.auth.guessing import MAX_ADDRESSES, Failures
from sentinel_plugins.auth.known import MAX_KNOWN, Valid
from sentinel_plugins.auth.zion.heard import Heard

if TYPE_CHECKING:  # the extra `auth` brings what it imports
    from sentinel_plugins.auth.jwt.key_set import KeySet

SOURCES = 16
"""How many issuers, and how many Zions, are remembered: one of each is in force."""


class Memory:
    """Lives as long as the gateway and outlives its generations.

    What somebody else said is kept under where it was read: another address, or another account there, is somebody
    else. For how long it is believed, each generation says itself.
    """

    def __init__(self) -> None:
        self.fingerprints = Fingerprints()
        self.failures: Failures = Latest(MAX_ADDRESSES)
        self.valid: Valid = Latest(MAX_KNOWN)
        self.key_sets: Latest[str, KeySet] = Latest(SOURCES)
        self.zions: Latest[tuple[str, Secret], Heard] = Latest(SOURCES)


MEMORY: ServiceKey[Memory] = ServiceKey("auth_memory")
"""What this process knows of callers."""
