"""What travels through the chain: a `Request` in, an `Answer` out, unless a stream of events is asked for.

Everything here is immutable and keeps the original JSON beside the meaning, so that what no stage touched leaves
exactly as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from sentinel_core.dialects.slots import Path, TextSlot, patched
from sentinel_core.dialects.unreadable import holds_unreadable, says_unreadable
from sentinel_core.events import Opaque
from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.usage import Usage

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

__all__ = [
    "Answer",
    "Operation",
    "Path",
    "Request",
    "TextSlot",
]

Operation: TypeAlias = Literal["chat", "completion", "embedding", "response", "count_tokens"]
_OPAQUE = -2  # begins the path of a slot of `Answer.opaque`; a body's own paths begin with a key, which is a string
Patch: TypeAlias = Callable[[JsonMapping, Mapping[Path, str]], JsonMapping]


class Request(msgspec.Struct, frozen=True):
    """One decoded request. `body` is the client's JSON without the gateway's own fields, which are in `gateway`.

    `include_usage` says whether a streaming client asked for the usage chunk. Never mutate `body`; replace texts with
    `with_texts`, other fields with `with_fields`.
    """

    dialect: Dialect
    body: JsonMapping
    operation: Operation = "chat"
    model: str | None = None
    stream: bool = False
    include_usage: bool = False
    gateway: JsonMapping = {}
    _read: tuple[JsonMapping, tuple[TextSlot, ...]] | None = None
    """A body whose strings were looked up, and these: each guard asks for them."""

    def texts(self) -> tuple[TextSlot, ...]:
        """Every string leaf and object key of the body, except the dialect's declared list of identifiers."""
        read = self._read
        if read is None or read[0] is not self.body:
            read = (self.body, self.dialect.request_texts(self.body))
            msgspec.structs.force_setattr(self, "_read", read)
        return read[1]

    @property
    def unreadable(self) -> bool:
        """Whether it holds parts that are no text: images, sound, files, numbers of tokens, what a provider keeps."""
        return holds_unreadable(self.body)

    def with_texts(self, texts: Mapping[Path, str]) -> Request:
        """The same request with the slots at these paths holding other texts; everything else is shared."""
        return msgspec.structs.replace(self, body=patched(self.body, texts), _read=None) if texts else self

    def with_fields(self, **fields: JsonValue) -> Request:
        """The same request with top-level body fields replaced or added."""
        return msgspec.structs.replace(self, body={**self.body, **fields}, _read=None)


class Answer(msgspec.Struct, frozen=True):
    """A unary reply: one JSON body of a dialect.

    `raw` is the body as the provider sent it, None once a text was changed. `opaque` holds stream events whose strings
    belong to no channel, when the answer was assembled from a stream. `dropped` names what of the request the upstream
    could not be told. Never mutate `body`; replace texts with `with_texts`: of a guard that edits a whole answer
    in place, the verdict says `allowed`.
    """

    dialect: Dialect
    body: JsonMapping
    operation: Operation = "chat"
    raw: bytes | None = None
    usage: Usage | None = None
    opaque: tuple[Opaque, ...] = ()
    dropped: tuple[str, ...] = ()

    def on_close(self, callback: Callable[[Literal["completed", "failed", "discarded"]], None]) -> None:
        """An answer is complete when it is returned: calls `callback("completed")` at once."""
        callback("completed")

    def texts(self) -> tuple[TextSlot, ...]:
        """Every string leaf and object key, except the dialect's declared list of identifiers."""
        slots = self.dialect.answer_texts(self.body)
        for index, event in enumerate(self.opaque):
            slots += tuple(replace(slot, path=(_OPAQUE, index, *slot.path)) for slot in event.texts())
        return slots

    @property
    def unreadable(self) -> bool:
        """Whether it holds parts that are no text: images, sound."""
        return says_unreadable(self.body)

    def with_texts(self, texts: Mapping[Path, str]) -> Answer:
        """The same answer with other texts at these paths; copies of changed text (logprobs) are dropped."""
        return self._with(texts, self.dialect.patch_answer) if texts else self

    def restored(self, texts: Mapping[Path, str]) -> Answer:
        """The same answer with texts in which the caller's values stand again; signatures of what was said stay."""
        return self._with(texts, self.dialect.restore_answer) if texts else self

    def _with(self, texts: Mapping[Path, str], patch: Patch) -> Answer:
        opaque = list(self.opaque)
        own: dict[Path, str] = {}
        for path, text in texts.items():
            if path[:1] == (_OPAQUE,):
                index = int(path[1])
                opaque[index] = opaque[index].with_texts({path[2:]: text})
            else:
                own[path] = text
        body = patch(self.body, own) if own else self.body
        return msgspec.structs.replace(self, body=body, raw=None if own else self.raw, opaque=tuple(opaque))
