"""The short way for the usual event: a fragment of the answer or of a thought, and nothing else.

Nearly all events of a stream are of this form. Decoded straight into its type they cost a fraction of the general way
(benchmarks/translation.py).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sentinel_core.events import ReasoningDelta, TextDelta


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    text: str = ""
    thinking: str = ""


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    content: _Content


class _Delta(msgspec.Struct, forbid_unknown_fields=True):
    message: _Message


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["content-delta"]
    delta: _Delta
    index: int | None = None
    logprobs: None = None


_decode = msgspec.json.Decoder(_Event).decode


def plain_delta(data: bytes) -> TextDelta | ReasoningDelta | None:
    """The event of a plain fragment; None for every other payload, valid or not."""
    try:
        content = _decode(data).delta.message.content
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if content.thinking:
        return ReasoningDelta(text=content.thinking) if not content.text else None
    return TextDelta(text=content.text) if content.text else None
