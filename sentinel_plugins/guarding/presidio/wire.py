"""What the gateway and a process that recognises say to each other: frames of MessagePack with their length ahead."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

LENGTH_BYTES: Final = 4

Span: TypeAlias = tuple[int, int, str]
"""`text[start:end]`, in code points, and what it is."""


class Start(msgspec.Struct, frozen=True, tag=True):
    """The first frame to a process: load this, and recognise these entities in texts of this language."""

    model: str
    language: str
    entities: tuple[str, ...]
    min_score: float


class Job(msgspec.Struct, frozen=True, tag=True):
    """Texts to read."""

    texts: list[str]


class Ready(msgspec.Struct, frozen=True, tag=True):
    """Everything is loaded, and a first text was read."""


class Spans(msgspec.Struct, frozen=True, tag=True):
    """What is in the texts of a job, text by text."""

    texts: list[list[Span]]


class Failed(msgspec.Struct, frozen=True, tag=True):
    """What went wrong, without a word of any text; the first frame of a process that cannot start says how to mend it.
    `key` is the setting that it is about."""

    reason: str
    key: str = ""


Order: TypeAlias = Start | Job
Report: TypeAlias = Ready | Spans | Failed

_encode = msgspec.msgpack.Encoder().encode
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)
order_of, report_of = _orders.decode, _reports.decode


def framed(message: Order | Report) -> bytes:
    """One frame."""
    payload = _encode(message)
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload
