"""Members that Sentinel adds to a reply's body where somebody asked for them; of whole answers they are always headers.

Off by default, because replies are lossless: the body is the provider's.
"""

from __future__ import annotations

import msgspec

from sentinel_core.config import ServerSettings
from sentinel_core.context import Context
from sentinel_core.costs import so_far
from sentinel_core.dialects.base import StreamEncoder
from sentinel_core.errors import SentinelError
from sentinel_core.events import Event, UsageReport
from sentinel_core.limits import NANO
from sentinel_server.edge import Transaction

_ASKED = b"x-sentinel-extend"
_DATA = b"data: "
_NULL = msgspec.Raw(b"null")


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


class CostedEncoder:
    """A stream's encoder that puts `cost_usd` beside the usage which ends a stream, where a stage priced it."""

    __slots__ = ("_cost", "_ctx", "_encoder")

    def __init__(self, encoder: StreamEncoder, ctx: Context) -> None:
        self._encoder = encoder
        self._ctx = ctx
        self._cost: int | None = None

    def encode(self, event: Event) -> bytes:
        """The bytes that this event releases."""
        if isinstance(event, UsageReport):
            self._cost = so_far(self._ctx, event.usage)
        return self._costed(self._encoder.encode(event))

    def opens(self, event: Event) -> bool:
        """Whether an event only opens an answer."""
        return self._encoder.opens(event)

    def finish(self) -> bytes:
        """The rest and the end marker."""
        return self._costed(self._encoder.finish())

    def fail(self, error: SentinelError) -> bytes:
        """The rest, and one error event."""
        return self._encoder.fail(error)

    def _costed(self, data: bytes) -> bytes:
        if self._cost is None or b'"usage"' not in data:
            return data
        return b"\n".join(_costed(line, self._cost) for line in data.split(b"\n"))


def _costed(line: bytes, nanousd: int) -> bytes:
    """One line of an event stream; a payload with a usage of its own, or of the response it holds, gets the cost."""
    if not line.startswith(_DATA) or b'"usage"' not in line:
        return line
    members = msgspec.json.decode(line[len(_DATA) :], type=dict[str, msgspec.Raw])
    cost = {"cost_usd": nanousd / NANO}
    if bytes(members.get("usage", _NULL)) != b"null":
        return _DATA + msgspec.json.encode(members | cost)
    if (held := members.get("response")) is None:
        return line
    response = msgspec.json.decode(held, type=dict[str, msgspec.Raw])
    if bytes(response.get("usage", _NULL)) == b"null":
        return line
    return _DATA + msgspec.json.encode(members | {"response": response | cost})
