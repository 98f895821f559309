"""The system events: what is told to whoever listens, over the state store's channels."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from sentinel_core.state import StateStore

CHANNEL = "sentinel:system-events"

EventType: TypeAlias = Literal["provider_status", "incident", "metrics", "heartbeat", "system"]


class _Event(msgspec.Struct, frozen=True):
    event_type: str
    payload: msgspec.Raw


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Event).decode


def event(kind: EventType, payload: Any) -> bytes:  # a JSON value or a Struct
    """One message as subscribers get it: `{"event_type": …, "payload": …}`."""
    return _encode({"event_type": kind, "payload": payload})


def opened(data: bytes) -> tuple[str, msgspec.Raw]:
    """What kind of event a message is, and its payload as it came."""
    found = _decode(data)
    return found.event_type, found.payload


async def publish(state: StateStore, kind: EventType, payload: Any) -> None:  # a JSON value or a Struct
    """Tell every present subscriber, in all processes that share the store."""
    await state.publish(CHANNEL, event(kind, payload))
