"""Events as the client's stream: named events as they came, patched where a stage changed what they say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from sentinel_core.dialects.openai_chat.errors import error_object
from sentinel_core.dialects.openai_responses.answer import patch
from sentinel_core.dialects.openai_responses.decoder import ITEM_ENDS, Opening, carries_text, opens
from sentinel_core.dialects.openai_responses.status import with_status
from sentinel_core.dialects.slots import Path, patched
from sentinel_core.errors import SentinelError
from sentinel_core.events import Event, Finish, Frame, Opaque, TextEvent
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Request

_encode = msgspec.json.Encoder().encode
_BARE = ("type", "sequence_number", "item_id", "output_index", "content_index", "summary_index", "delta")
"""What a delta consists of, whatever else is in it."""
_ENDS = {"completed": "response.completed", "incomplete": "response.incomplete"}
"""The event that ends a response of each status."""
_NOTHING: Mapping[Path, str] = MappingProxyType({})


class ResponseStreamEncoder:
    """Encodes one stream.

    Frames that repeat a text (`.done`, `response.completed`) repeat what the client was given, not what the upstream
    said. A frame leaves with the last of its events. A stage's own text needs an upstream's text to belong to.
    """

    __slots__ = (
        "_added",
        "_ended_otherwise",
        "_frame",
        "_given",
        "_latest",
        "_number",
        "_parts",
        "_reasons",
        "_waiting",
    )

    def __init__(self, request: Request) -> None:
        self._given: dict[int, list[str]] = {}
        self._latest: dict[int, Frame] = {}
        self._waiting: dict[int, list[str]] = {}
        self._reasons: dict[int, str] = {}
        self._ended_otherwise = False
        self._added = 0
        self._number = -1
        self._frame: Frame | None = None
        self._parts: dict[int, Event] = {}

    def encode(self, event: Event) -> bytes:
        """The bytes that this event releases."""
        frame = event.frame
        if frame is None:
            return self._flush() + self._own(event)
        if self._frame is None and frame.size == 1 and isinstance(event, TextEvent):
            return self._delta(frame, event, None)
        released = b"" if frame is self._frame and event.part not in self._parts else self._flush()
        self._frame = frame
        self._parts[event.part] = event
        return released + self._flush() if event.part == frame.size - 1 else released

    def opens(self, event: Event) -> bool:
        """Whether an event only opens a response, an item or a part, or says nothing at all."""
        return opens(event)

    def finish(self) -> bytes:
        """The rest. The response's last event is the end marker."""
        return self._flush()

    def fail(self, error: SentinelError) -> bytes:
        """The rest, and one error event; clients look for `error` in any event, so it has both forms."""
        released = self._flush()
        wrapped = error_object(error)
        inner = wrapped["error"]
        body = {"type": "error", "code": inner["code"], "message": inner["message"], "param": inner["param"]}
        return released + _sse("error", _encode({**body, "sequence_number": self._number + 1, **wrapped}))

    def _flush(self) -> bytes:
        frame, parts = self._frame, self._parts
        if frame is None:
            return b""
        self._frame, self._parts = None, {}
        rest = next((part for part in parts.values() if isinstance(part, Opaque)), None)
        if carries_text(frame):
            text = next((part for part in parts.values() if isinstance(part, TextEvent)), None)
            return self._delta(frame, text, rest)
        if any(isinstance(place, Opening) for place in frame.places):
            return self._open(frame, parts, rest)
        ends = [part for part in parts.values() if isinstance(part, Finish)]
        late = b"".join(self._late(frame, end.choice) for end in ends)
        for end in ends:
            self._note(end)
        return late + self._repeat(frame, rest) if rest is not None else late

    def _delta(self, frame: Frame, text: TextEvent | None, rest: Opaque | None) -> bytes:
        """One fragment. Without its text it is empty, without the rest it has only what names its place."""
        body: JsonMapping = frame.body
        if text is not None:
            self._latest[text.choice] = frame
            self._given.setdefault(text.choice, []).append(text.text)
        if rest is None and frame.size > 1:
            body = {name: body[name] for name in _BARE if name in body}
        elif rest is not None and rest.patches:
            body = patched(body, rest.patches)
        if text is None or text.changed:
            body = _said(body, text.text if text is not None else "")
        return self._write(frame, body)

    def _open(self, frame: Frame, parts: Mapping[int, Event], rest: Opaque | None) -> bytes:
        """A frame that opens something with the first words of texts. What comes of them when it has left, or without
        it, is a fragment."""
        begun = [(number, place) for number, place in enumerate(frame.places) if isinstance(place, Opening)]
        for _, place in begun:
            self._latest.setdefault(place.choice, Frame(b"", place.fragment, name=place.fragment["type"]))
        texts = {number: part for number, part in parts.items() if isinstance(part, TextEvent)}
        if rest is None:
            return b"".join(map(self._own, texts.values()))
        said = {place.path: texts[number].text if number in texts else "" for number, place in begun}
        for text in texts.values():
            self._given.setdefault(text.choice, []).append(text.text)
        return self._repeat(frame, rest, said)

    def _repeat(self, frame: Frame, rest: Opaque, said: Mapping[Path, str] = _NOTHING) -> bytes:
        """A frame that repeats texts, if any, and says no more than the first of some."""
        given = dict(said)
        for place in frame.places:
            if not isinstance(place, Opening):
                given[place.path] = "".join(self._given.get(place.choice, ()))
        changed = {path: text for path, text in given.items() if text != _at(frame.body, path)}
        texts: dict[Path, str] = {**rest.patches, **changed}
        body = patch(frame.body, texts) if texts else frame.body
        if self._ended_otherwise and frame.name in _ENDS.values():
            response = with_status(body["response"], self._reasons.values())
            body = {**body, "type": _ENDS[response["status"]], "response": response}
        return self._write(frame, body)

    def _note(self, end: Finish) -> None:
        """How one text ended: a stage's own word, or one that it changed, ends the whole response so."""
        self._reasons[end.choice] = end.reason
        self._ended_otherwise = self._ended_otherwise or end.changed or end.frame is None

    def _own(self, event: Event) -> bytes:
        """A fragment that a stage made itself, where the upstream's text stands."""
        if isinstance(event, Finish):
            self._note(event)
        if not isinstance(event, TextEvent) or not event.text:
            return b""
        self._given.setdefault(event.choice, []).append(event.text)
        frame = self._latest.get(event.choice)
        if frame is None:  # everything so far was held back: the end will say where it belongs
            self._waiting.setdefault(event.choice, []).append(event.text)
            return b""
        return self._add(frame.name, _said(frame.body, event.text))

    def _late(self, frame: Frame, choice: int) -> bytes:
        """What waited for a place, ahead of the event that ends its text."""
        text = "".join(self._waiting.pop(choice, ()))
        if not text or not frame.name.endswith(".done") or frame.name in ITEM_ENDS:
            return b""
        name = frame.name.removesuffix("done") + "delta"
        body = {key: frame.body[key] for key in _BARE if key in frame.body}
        return self._add(name, {**body, "type": name, "delta": text})

    def _add(self, name: str, body: JsonMapping) -> bytes:
        """One event more than the upstream sent; those after it count on from there."""
        self._number += 1
        self._added += 1
        return _sse(name, _encode({**body, "sequence_number": self._number}))

    def _write(self, frame: Frame, body: JsonMapping) -> bytes:
        number = body.get("sequence_number")
        if isinstance(number, int):
            self._number = number + self._added
            if self._added:
                body = {**body, "sequence_number": self._number}
        raw = frame.line if body is frame.body else b""
        return _sse(body.get("type") or frame.name, raw or _encode(body))


def _said(body: JsonMapping, text: str) -> JsonObject:
    """A fragment that says something else; logprobs would spell out the old text."""
    said = {**body, "delta": text}
    if said.get("logprobs"):
        said["logprobs"] = []
    return said


def _at(body: JsonValue, path: Path) -> JsonValue:
    for step in path:
        body = body[step]
    return body


def _sse(name: str, payload: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + payload + b"\n\n"
