"""The output items of a response while they are said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sentinel_core.dialects.openai_chat.canonical import EXTENSION, merged_extension
from sentinel_core.dialects.openai_responses.frames import Spot, item_frame
from sentinel_core.events import Channel, TextEvent, ToolCallDelta
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

KINDS: Mapping[Channel, str] = {"content": "output_text", "refusal": "refusal", "reasoning": "reasoning_text"}
"""What the parts of a channel's text are called; calls are members of their items."""


class Item:
    """One item. Its parts come one after the other."""

    __slots__ = ("_annotations", "_said", "_spot", "body", "index")

    def __init__(self, index: int, body: JsonObject) -> None:
        self.index = index
        self.body = body
        self._spot: Spot | None = None
        self._said: list[str] = []
        self._annotations: list[JsonObject] = []

    def say(self, kind: str, text: str) -> list[JsonObject]:
        """A fragment of text, in a part of its own where the open one is of another kind."""
        frames: list[JsonObject] = []
        if self._spot is None or self._spot.kind != kind:
            frames += self._end_part()
            number = len(self.body.get("content", ()))
            self._spot = Spot(self.body["id"], self.index, kind, number)
            frames += self._spot.part_frames("added", part_of(kind, ""))
        self._said.append(text)
        return [*frames, self._spot.delta(text)]

    def annotate(self, annotations: Iterable[JsonObject]) -> list[JsonObject]:
        """What its text refers to, if it is text that is being said."""
        if self._spot is None or self._spot.kind != "output_text":
            return []
        before = len(self._annotations)
        self._annotations += annotations
        return [self._spot.annotation(*told) for told in enumerate(self._annotations[before:], before)]

    def end(self, status: str) -> list[JsonObject]:
        """Nothing more is said here."""
        frames: list[JsonObject] = []
        if status == "completed" and self.body.get("arguments") == "" and self._spot is None:
            frames += self.say("arguments", "{}")  # called without any: clients parse what they are given
        frames += self._end_part()
        self.body["status"] = status
        return [*frames, item_frame("done", self.index, self.body)]

    def _end_part(self) -> list[JsonObject]:
        spot, text = self._spot, "".join(self._said)
        if spot is None:
            return []
        part = part_of(spot.kind, text)
        if part is not None and self._annotations:
            part["annotations"] = self._annotations
        self._spot, self._said, self._annotations = None, [], []
        if part is None:
            self.body["arguments"] = text
        else:
            self.body["content"] = [*self.body["content"], part]
        return [spot.done(text), *spot.part_frames("done", part)]


class Output:
    """All items, in the order in which they begin.

    Text and reasoning end where something else begins, and begin anew after it. Calls may be interleaved, each in its
    item, and end with the answer.
    """

    __slots__ = ("_calls", "_early", "_identifier", "_nameless", "_open", "items")

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier
        self.items: list[Item] = []
        self._open: Item | None = None  # of text or reasoning
        self._calls: dict[int, Item] = {}
        self._early: dict[int, JsonObject] = {}  # what came with a call ahead of its name
        self._nameless: dict[int, str | None] = {}  # the ids of calls whose name is still to come

    def add(self, event: TextEvent) -> list[JsonObject]:
        """What is said, as the frames that say it."""
        if isinstance(event, ToolCallDelta):
            if event.index not in self._calls and not (event.name or event.text):
                self._nameless[event.index] = event.id or self._nameless.get(event.index)
                return []
            frames = self._called(event)
            return frames + self._calls[event.index].say("arguments", event.text) if event.text else frames
        if not event.text:
            return []
        frames = self._say("reasoning" if event.channel == "reasoning" else "message")
        assert self._open is not None
        return frames + self._open.say(KINDS[event.channel], event.text)

    def keep(self, extension: JsonMapping, call: int | None = None) -> list[JsonObject]:
        """What only one vendor knows, in the item that it came with: of the call, else what is being said. State that
        came before any word is as good as a thought."""
        if call is not None:
            holder = self._calls[call].body if call in self._calls else self._early.setdefault(call, {})
            _merge(holder, extension)
            return []
        frames = self._say("reasoning") if self._open is None else []
        assert self._open is not None
        _merge(self._open.body, extension)
        return frames

    def end(self, *, cut: bool) -> list[JsonObject]:
        """The answer is over; `cut` if its last item is not whole. Calls without a name have none."""
        begun = [frame for index in [*self._nameless] for frame in self._called(ToolCallDelta(index=index))]
        left = [item for item in (self._open, *self._calls.values()) if item is not None]
        last = self.items[-1] if self.items else None
        self._open, self._calls = None, {}
        ended = [frame for item in left for frame in item.end("incomplete" if cut and item is last else "completed")]
        return begun + ended

    def annotate(self, annotations: JsonValue) -> list[JsonObject]:
        """What the text that is being said refers to, as chats say it. A text that has ended is told no more."""
        if self._open is None or not isinstance(annotations, list):
            return []
        return self._open.annotate(filter(None, map(_annotation, annotations)))

    def _say(self, kind: str) -> list[JsonObject]:
        """The item of text or of reasoning that goes on, or a new one."""
        if self._open is not None and self._open.body["type"] == kind:
            return []
        frames = self._end_open()
        rest: JsonObject = {"role": "assistant"} if kind == "message" else {"summary": []}
        frames += self._begin("msg" if kind == "message" else "rs", {"type": kind, **rest, "content": []})
        self._open = self.items[-1]
        return frames

    def _called(self, event: ToolCallDelta) -> list[JsonObject]:
        if event.index in self._calls:
            return []
        frames = self._end_open()
        call_id = self._nameless.pop(event.index, None) or event.id or f"call_{self._identifier}_{len(self.items)}"
        named = {"call_id": call_id, "name": event.name or "", "arguments": ""}
        frames += self._begin("fc", {"type": "function_call", **named, **self._early.pop(event.index, {})})
        self._calls[event.index] = self.items[-1]
        return frames

    def _begin(self, prefix: str, body: JsonObject) -> list[JsonObject]:
        index = len(self.items)
        item = Item(index, {"id": f"{prefix}_{self._identifier}_{index}", **body, "status": "in_progress"})
        self.items.append(item)
        return [item_frame("added", index, item.body)]

    def _end_open(self) -> list[JsonObject]:
        item, self._open = self._open, None
        return item.end("completed") if item is not None else []


def _merge(holder: JsonObject, extension: JsonMapping) -> None:
    holder[EXTENSION] = merged_extension(holder.get(EXTENSION) or {}, extension)


def _annotation(said: JsonValue) -> JsonObject | None:
    """A chat's citation as one of a response, whose members stand beside its type; None for what is none."""
    cited = said.get("url_citation") if isinstance(said, Mapping) else None
    return {"type": "url_citation", **cited} if isinstance(cited, Mapping) else None


def part_of(kind: str, text: str) -> JsonObject | None:
    """A part of an item with this text; None for a kind that is a member of its item."""
    if kind == "output_text":
        return {"type": kind, "text": text, "annotations": [], "logprobs": []}
    if kind == "refusal":
        return {"type": kind, "refusal": text}
    return {"type": kind, "text": text} if kind == "reasoning_text" else None
