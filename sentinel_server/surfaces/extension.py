"""Members that Sentinel adds to a reply's body where somebody asked for them; they are always headers.

Off by default, because replies are lossless: the body is the provider's.
"""

from __future__ import annotations

import msgspec

from sentinel_core.config import ServerSettings
from sentinel_core.context import Context
from sentinel_server.edge import Transaction

_ASKED = b"x-sentinel-extend"


def wants_extension(tx: Transaction, settings: ServerSettings) -> bool:
    """By configuration (`[server] extend_body`), or by the request header `x-sentinel-extend: body`."""
    return settings.extend_body or tx.headers.get(_ASKED) == b"body"


def extended(body: bytes, tx: Transaction, ctx: Context) -> bytes:
    """The body with `latency_ms` (milliseconds so far), `cached` and, where a stage priced it, `cost_usd`."""
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    facts: dict[str, object] = {
        "latency_ms": round(tx.elapsed_s() * 1000, 2),
        "cached": ctx.headers.get("x-sentinel-cache", "").lower() == "hit",
    }
    if (cost := ctx.headers.get("x-sentinel-cost-usd")) is not None:
        facts["cost_usd"] = float(cost)
    return msgspec.json.encode(members | facts)
