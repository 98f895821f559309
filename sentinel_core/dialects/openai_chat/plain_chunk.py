"""The short way for the usual chunk: a fragment of one choice's content, and nothing else.

Nearly all chunks of a stream are of this form. Decoded straight into its type they cost a third of the general way
(benchmarks/streaming.py); the type has no room for a string that a guard would have to see.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sentinel_core.dialects.openai_chat.place import Place
from sentinel_core.messages import Frame, TextDelta


class _Delta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    content: Annotated[str, Meta(min_length=1)]


class _Choice(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    delta: _Delta
    index: int = 0
    finish_reason: None = None
    logprobs: None = None


class _Chunk(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    choices: tuple[_Choice]
    id: str | None = None
    object: str | None = None
    created: int | float | None = None
    model: str | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    obfuscation: str | None = None
    usage: UnsetType | None = UNSET


PLAIN: Final = (Place("content"),)
"""`places` of a plain chunk without `usage`: it may leave as it came."""
PLAIN_NULL_USAGE: Final = (Place("content"),)
"""`places` of a plain chunk with `"usage": null`."""

_decode = msgspec.json.Decoder(_Chunk).decode


def plain_chunk(data: bytes) -> TextDelta | None:
    """The event of a plain chunk on one line; None for every other payload, valid or not."""
    try:
        chunk = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if b"\n" in data or b"\r" in data:
        return None
    choice = chunk.choices[0]
    places = PLAIN if chunk.usage is UNSET else PLAIN_NULL_USAGE
    return TextDelta(choice=choice.index, frame=Frame(data, None, places), text=choice.delta.content)
