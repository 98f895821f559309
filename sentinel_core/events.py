"""What a stream consists of: its events, and the frames of the upstream's wire that they were made of.

Everything here but a frame is immutable and keeps the original JSON beside the meaning, so that what no stage touched
leaves exactly as it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import ClassVar, Final, Literal, NamedTuple, Self, TypeAlias

import msgspec
from msgspec.structs import replace

from sentinel_core.dialects.line_ends import CR, LF
from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.dialects.unreadable import says_unreadable
from sentinel_core.json_types import JsonValue
from sentinel_core.usage import Usage

Channel: TypeAlias = Literal["content", "reasoning", "refusal", "tool_arguments"]


class Frame(msgspec.Struct, gc=False, eq=False):
    """One event of the upstream's wire: its payload as sent, its decoded body, and what became of it.

    `body` is decoded when somebody looks, where the decoder did not need it. `places` says for each event made of this
    frame where it stands in the body; its form is the dialect's own; `size` is how many events that are. `name` is the
    SSE event name, empty in dialects that use none. `reencode` is set where guards read the frame: it then leaves as
    what they read. Nothing in it can lead back to it, so the garbage collector need not look.
    """

    raw: bytes
    _body: JsonValue
    places: Sequence[JsonValue] = ()
    name: str = ""
    size: int = 1
    reencode: bool = False

    @property
    def body(self) -> JsonValue:
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
        slots = tuple(replace(slot, text=texts.get(slot.path, slot.text)) for slot in self.slots)
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
