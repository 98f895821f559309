"""What a server's error replies say about it."""

from __future__ import annotations

import re

from redis.exceptions import ClusterDownError, MasterDownError, OutOfMemoryError, ReadOnlyError, ResponseError

from sentinel_core.errors import Refusal
from sentinel_plugins.redis.wire import Reply

_TYPES = (OutOfMemoryError, ReadOnlyError, ClusterDownError, MasterDownError)
_WORDS = re.compile(r"(?:^|-)(?:OOM|READONLY|CLUSTERDOWN|MASTERDOWN|MISCONF|NOREPLICAS|BUSY) ")
_FULL = re.compile(r"(?:^|-)OOM ")
"""Both for those that have no type, and for Redis 6, which says "Error running script …: -OOM …"."""


def is_down(reply: Reply) -> bool:
    """Whether the server can do this for nobody now (R05, R06): out of memory, demoted, busy, without its cluster.

    LOADING and refused logins are no replies here: they end the connection. TRYAGAIN is about one slot, which moves.
    """
    if not isinstance(reply, ResponseError):
        return False
    return isinstance(reply, _TYPES) or _WORDS.search(str(reply)) is not None


def is_full(reply: Reply) -> bool:
    """Whether the server only has no memory left: what needs none, a look or a deletion, it does all the same."""
    if not isinstance(reply, ResponseError):
        return False
    return isinstance(reply, OutOfMemoryError) or _FULL.search(str(reply)) is not None


def unavailable() -> Refusal:
    """What a caller gets where there is no answer. An open breaker is tried again within about a second."""
    return Refusal("state_unavailable", retry_after_s=1.0)
