"""Names of what the state store keeps: no two tenants ever meet in one, and a tenant's names lie together."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

LONGEST = 64
"""Characters of a part that is written out."""
_LENGTH = re.compile(r"\{([0-9]{1,9}):")


def state_key(tenant: str, *parts: str) -> str:
    """The name of one fact of a tenant: `state_key("acme", "requests")` is `{4:acme}:8:requests`.

    Tenant and parts are preceded by their lengths, so different arguments never make the same name (Z13: tenant `a:b`
    with `c` is not `a` with `b:c`). Of a part longer than `LONGEST`, such as the name that an identity provider gives
    somebody, the length is followed by `#` and its SHA-256 instead: stores bound what they keep of a name. The braces
    are a hash tag: in a Redis Cluster all names of a tenant lie on one node, so one step can take claims on several of
    them.
    """
    name = f"{{{len(tenant)}:{tenant}}}"
    for part in parts:
        name += f":{len(part)}:{part}" if len(part) <= LONGEST else f":{len(part)}#{_digest(part)}"
    return name


def _digest(part: str) -> str:
    return hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()


def tenant_part(key: str) -> str:
    """The beginning that all names of a tenant have in common; "" where `state_key` did not make this one."""
    return _part_of(key.rpartition(":")[0]) or _part_of.__wrapped__(key)


@lru_cache(maxsize=4096)  # what ids of reservations begin with comes again and again, whole ids never do
def _part_of(beginning: str) -> str:
    length = _LENGTH.match(beginning)
    if length is None:
        return ""
    end = length.end() + int(length[1])
    return beginning[: end + 1] if beginning[end : end + 1] == "}" else ""
