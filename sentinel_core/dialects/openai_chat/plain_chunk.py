"""The short way for the usual chunk: a fragment of one choice's content, and nothing else.

Nearly all chunks of a stream are of this form. Decoded straight into its type they cost a third of the general way
(benchmarks/streaming.py); the type has no room for a string that a guard would have to see. Written anew, what stands
around the text is made once for all chunks that have the same there.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sentinel_core.dialects.line_ends import CR, LF
from sentinel_core.dialects.openai_chat.place import Place
from sentinel_core.events import Frame, TextDelta


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
    if LF in data or CR in data:
        return None
    choice = chunk.choices[0]
    places = PLAIN if chunk.usage is UNSET else PLAIN_NULL_USAGE
    return TextDelta(choice=choice.index, frame=Frame(data, None, places), text=choice.delta.content)


def tier_of(data: bytes) -> str | None:
    """The `service_tier` that a plain chunk names. Decodes it once more: for one chunk of a stream."""
    return _decode(data).service_tier


_encode = msgspec.json.Encoder().encode
_CONTENT: Final = b'"content":'
_UNESCAPED = re.compile(rb'[^"\\]*').fullmatch
"""What is within one string for certain."""


class PlainWriter:
    """Writes the plain chunks of one stream anew, each with its text as a guard left it.

    Chunks mostly differ in their text alone. The bytes on both sides of it are compared with those of a chunk that was
    decoded as a whole; the text between them is known. `usage` is kept where the client `include_usage`s.
    """

    __slots__ = ("_after", "_before", "_head", "_include_usage", "_tail")

    def __init__(self, *, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._before = self._after = b""
        self._head = self._tail = b""

    def written(self, frame: Frame, text: str) -> bytes:
        """The event of a plain chunk with this text."""
        raw, before, after = frame.raw, self._before, self._after
        alike = before and raw.startswith(before) and raw.endswith(after)
        if not (alike and _UNESCAPED(raw, len(before), len(raw) - len(after))):
            self._learn(frame)
        return self._head + _encode(text) + self._tail

    def _learn(self, frame: Frame) -> None:
        """Decode the chunk, and note how it is written without its text; what is around that only if that is sure."""
        body = dict(frame.body)
        choice = body["choices"][0]
        said = _encode(choice["delta"]["content"])
        body["choices"] = [{**choice, "delta": {"content": ""}}]
        if not self._include_usage:
            body.pop("usage", None)
        head, _, tail = _encode(body).partition(_CONTENT + b'""')
        self._head, self._tail = b"data: " + head + _CONTENT, tail + b"\n\n"
        before, found, after = frame.raw.partition(said)
        is_sure = found and before.rstrip().endswith(_CONTENT) and said not in after
        self._before, self._after = (before + b'"', b'"' + after) if is_sure else (b"", b"")
