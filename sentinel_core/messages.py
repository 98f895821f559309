"""What travels through the chain: a `Request` in, an `Answer` or a stream of events out.

Everything here is immutable and keeps the original JSON beside the meaning, so that what no stage touched leaves
exactly as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, Self, TypeAlias

import msgspec

from sentinel_core.dialects.line_ends import CR, LF
from sentinel_core.dialects.slots import Path, TextSlot, patched
from sentinel_core.dialects.unreadable import holds_unreadable, says_unreadable

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

__all__ = [
    "Answer",
    "Event",
    "Extent",
    "Finish",
    "Frame",
    "Opaque",
    "Operation",
    "Path",
    "ReasoningDelta",
    "RefusalDelta",
    "Request",
    "TextDelta",
    "TextEvent",
    "TextSlot",
    "ToolCallDelta",
    "ToolInputDelta",
    "Usage",
    "UsageReport",
]

Operation: TypeAlias = Literal["chat", "completion", "embedding", "response", "count_tokens"]
Channel: TypeAlias = Literal["content", "reasoning", "refusal", "tool_arguments"]
_OPAQUE = -2  # begins the path of a slot of `Answer.opaque`; a body's own paths begin with a key, which is a string
Json: TypeAlias = Any  # a decoded JSON value; its shape is the client's or the provider's
Patch: TypeAlias = Callable[[Mapping[str, Json], Mapping[Path, str]], Mapping[str, Json]]


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one answer, as the provider reported them. Tokens read from and written to the cache are part of the
    prompt's, those written for an hour part of the written ones, reasoning tokens part of the completion's (OpenAI's
    counting)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0


class Request(msgspec.Struct, frozen=True):
    """One decoded request. `body` is the client's JSON without the gateway's own fields, which are in `gateway`.

    `include_usage` says whether a streaming client asked for the usage chunk. Never mutate `body`; replace texts with
    `with_texts`, other fields with `with_fields`.
    """

    dialect: Dialect
    body: Mapping[str, Json]
    operation: Operation = "chat"
    model: str | None = None
    stream: bool = False
    include_usage: bool = False
    gateway: Mapping[str, Json] = {}
    _read: tuple[Mapping[str, Json], tuple[TextSlot, ...]] | None = None
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
        """Whether it holds parts that are no text: images, sound, files, numbers of tokens."""
        return holds_unreadable(self.body)

    def with_texts(self, texts: Mapping[Path, str]) -> Request:
        """The same request with the slots at these paths holding other texts; everything else is shared."""
        return msgspec.structs.replace(self, body=patched(self.body, texts), _read=None) if texts else self

    def with_fields(self, **fields: Json) -> Request:
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
    body: Mapping[str, Json]
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
            slots += tuple(slot._replace(path=(_OPAQUE, index, *slot.path)) for slot in event.texts())
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


class Frame(msgspec.Struct, gc=False, eq=False):
    """One event of the upstream's wire: its payload as sent, its decoded body, and what became of it.

    `body` is decoded when somebody looks, where the decoder did not need it. `places` says for each event made of this
    frame where it stands in the body; its form is the dialect's own; `size` is how many events that are. `name` is the
    SSE event name, empty in dialects that use none. `reencode` is set where guards read the frame: it then leaves as
    what they read. Nothing in it can lead back to it, so the garbage collector need not look.
    """

    raw: bytes
    _body: Json
    places: Sequence[Json] = ()
    name: str = ""
    size: int = 1
    reencode: bool = False

    @property
    def body(self) -> Json:
        """The payload, decoded."""
        if self._body is None:
            self._body = msgspec.json.decode(self.raw)
        return self._body

    @property
    def line(self) -> bytes:
        """The payload where it may leave as it came: it is on one line, and no guard read it. Else empty."""
        raw = self.raw
        return b"" if self.reencode or LF in raw or CR in raw else raw


class _Event(msgspec.Struct, frozen=True, gc=False):
    """Common to all events: the choice it belongs to, its frame and its position among that frame's events.

    `changed` is True once a stage replaced something; an unchanged frame is written as it came.
    """

    choice: int = 0
    frame: Frame | None = None
    part: int = 0
    changed: bool = False


class TextEvent(_Event, frozen=True, gc=False):
    """A fragment of text in one channel of one choice."""

    channel: ClassVar[Channel]
    kind: ClassVar[str]
    """What a slot with this text would be."""
    text: str = ""
    index: int = 0

    def with_text(self, text: str) -> Self:
        """The same event carrying another text."""
        return msgspec.structs.replace(self, text=text, changed=True) if text != self.text else self

    lane = property(attrgetter("choice", "channel", "index"), doc="Which text this continues.")


class TextDelta(TextEvent, frozen=True, gc=False):
    """A fragment of the visible answer."""

    channel: ClassVar[Channel] = "content"
    kind: ClassVar[str] = "content"


TEXTS: Final = (TextDelta, TextEvent)
"""For `isinstance`, where it is asked for every event: with the usual class first it takes a third of the time."""


class ReasoningDelta(TextEvent, frozen=True, gc=False):
    """A fragment of reasoning that the provider shows."""

    channel: ClassVar[Channel] = "reasoning"
    kind: ClassVar[str] = "reasoning"


class RefusalDelta(TextEvent, frozen=True, gc=False):
    """A fragment of the model's own refusal."""

    channel: ClassVar[Channel] = "refusal"
    kind: ClassVar[str] = "refusal"


class ToolCallDelta(TextEvent, frozen=True, gc=False):
    """A fragment of a tool call. `text` is a fragment of its JSON arguments, `index` its number within the choice;
    `id` and `name` come with its first fragment."""

    channel: ClassVar[Channel] = "tool_arguments"
    kind: ClassVar[str] = "tool_arguments"
    id: str | None = None
    name: str | None = None


class ToolInputDelta(ToolCallDelta, frozen=True, gc=False):
    """The same of a tool that takes free text: `text` is a fragment of that, and no JSON."""

    kind: ClassVar[str] = "tool_input"


class Finish(_Event, frozen=True, gc=False):
    """A choice is complete. `reason` is OpenAI's word: stop, length, tool_calls, content_filter."""

    reason: str = "stop"


class UsageReport(_Event, frozen=True, gc=False):
    """The provider's token counts. In a stream the last one counts; they are never summed."""

    usage: Usage = Usage()


class Look(msgspec.Struct, gc=False, eq=False):
    """Whether a stage looked at the strings of one event that it was given, or of any that it made of that one."""

    taken: bool = False


class Opaque(_Event, frozen=True, gc=False):
    """What the four channels do not cover: role-only frames, unknown fields, unknown events.

    `texts()` gives its strings to guards, `with_texts()` an event that carries others. `ends` says that a block
    of texts ends here: what comes of the same lanes from now on is another block's. `goes_on` says that its strings
    may go on with those of an earlier event: who reads them one by one has not read all that they say.
    """

    slots: tuple[TextSlot, ...] = ()
    patches: Mapping[Path, str] = {}
    look: Look | None = None
    ends: bool = False
    goes_on: bool = False

    @property
    def unreadable(self) -> bool:
        """Whether it carries a part that is no text: an image, sound, or a piece of one."""
        return self.frame is not None and says_unreadable(self.frame.body)

    def texts(self) -> tuple[TextSlot, ...]:
        """The strings that this event carries outside the four channels. The chain notes that they were read."""
        if self.look is not None:
            self.look.taken = True
        return self.slots

    def with_texts(self, texts: Mapping[Path, str]) -> Opaque:
        """The same event with other texts at these paths. Raises KeyError for a path that is not among its slots."""
        if not texts:
            return self
        for path in texts.keys() - {slot.path for slot in self.slots}:
            raise KeyError(f"no such slot: {path!r}")
        slots = tuple(slot._replace(text=texts.get(slot.path, slot.text)) for slot in self.slots)
        return msgspec.structs.replace(self, slots=slots, patches={**self.patches, **texts}, changed=True)


Event: TypeAlias = TextEvent | Finish | UsageReport | Opaque
"""One event of a stream. A `TextEvent` is a TextDelta, ReasoningDelta, RefusalDelta or ToolCallDelta."""


def ends_texts(event: Event) -> bool:
    """Whether what comes of its choice's lanes from now on, if anything, is another text."""
    return isinstance(event, Finish) or (isinstance(event, Opaque) and event.ends)


class Extent(NamedTuple):
    """How much passed a point of the chain: events, and characters in the four channels."""

    events: int = 0
    chars: int = 0
