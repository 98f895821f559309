"""The upstream's stream of named events as ours."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

import msgspec

from sentinel_core.decoding import ANSWER_LIMITS, decode_reply, mended
from sentinel_core.dialects.openai_chat.errors import reported_error
from sentinel_core.dialects.openai_responses.fields import IDENTIFIERS, all_slots
from sentinel_core.dialects.openai_responses.told import (
    DELTAS,
    Lane,
    Told,
    fragment_of,
    item_id_of,
    item_of,
    key_of,
    names_of,
    told_by,
)
from sentinel_core.dialects.openai_responses.words import decode_usage
from sentinel_core.dialects.slots import Path
from sentinel_core.errors import UpstreamError
from sentinel_core.events import (
    Event,
    Finish,
    Frame,
    Opaque,
    TextDelta,
    TextEvent,
    ToolCallDelta,
    UsageReport,
)
from sentinel_core.json_types import JsonObject

_TYPES = {kind: event_type for event_type, kind, _ in DELTAS.values()}
_SOUND = frozenset({"response.audio", "response.output_audio"})
_ENDS = {"response.completed": "stop", "response.incomplete": "length"}
OPENINGS = frozenset(
    {"response.created", "response.queued", "response.in_progress", "response.output_item.added"}
    | {"response.content_part.added", "response.reasoning_summary_part.added"}
)
"""Events that say nothing yet, whatever of the request they repeat; what some servers say in one is a fragment."""
ITEM_ENDS = frozenset(
    {"response.output_item.done", "response.content_part.done", "response.reasoning_summary_part.done"}
)
"""Events that end the texts which they repeat, where those had no end of their own."""
_NUMBERS = frozenset({"sequence_number", "output_index", "content_index", "summary_index"})


class Copy(NamedTuple):
    """Where a frame says again what deltas have said, and which choice that was."""

    path: Path
    choice: int


class Opening(NamedTuple):
    """Where an opening frame says the first of a text, which choice that is, and an empty fragment that goes on."""

    path: Path
    choice: int
    fragment: JsonObject


class ResponseStreamDecoder:
    """Decodes one stream, and knows which texts have been said."""

    __slots__ = ("_called", "_done", "_ended", "_kinds", "_lanes", "_paused", "_said")

    def __init__(self) -> None:
        self._done = False
        self._kinds: set[str] = set()
        self._lanes: dict[Lane, int] = {}
        self._said: list[list[str]] = []
        self._ended: set[int] = set()
        self._paused: set[int] = set()
        self._called: dict[int | str | None, dict[str, str]] = {}

    @property
    def done(self) -> bool:
        """The response is completed, or incomplete for good."""
        return self._done

    def bears_content(self, event: Event) -> bool:
        """False for what opens a response, an item or a part, and for signs of life."""
        return not isinstance(event, UsageReport) and not opens(event)

    def end(self) -> None:
        """The upstream has ended: complete only after the event that says so (U09)."""
        if not self._done:
            raise UpstreamError("upstream_stream_interrupted")

    def decode(self, data: bytes, name: str = "") -> Sequence[Event]:
        """The events of one payload. Raises `UpstreamError`."""
        if self._done or not data or data.startswith(b"[DONE]"):
            return ()
        data = mended(data)
        body = decode_reply(data, ANSWER_LIMITS)  # the last event holds the whole answer again
        kind = body.get("type") or name
        if kind == "error" or body.get("error"):
            raise reported_error(body if body.get("error") else {"error": body})
        if not isinstance(kind, str) or not kind.isprintable():  # it becomes a line of the client's stream
            raise UpstreamError("upstream_invalid_response")
        return self.events(data, body, kind) if kind else ()

    def events(self, data: bytes, body: JsonObject, kind: str) -> Sequence[Event]:
        """The events of one decoded payload. Raises `UpstreamError`."""
        family, _, step = kind.rpartition(".")
        frame = Frame(data, body, name=kind)
        if step == "delta" and family not in _SOUND and isinstance(body.get("delta"), str):
            return self._delta(frame, family)
        if kind == "response.failed":
            raise reported_error(body.get("response") or {})
        ends = [self._numbered(body, _said_of(family)[1])] if step == "done" and self._is_text(family) else []
        events: list[Event] = []
        if kind in _ENDS:
            if not isinstance(body.get("response"), dict):
                raise UpstreamError("upstream_invalid_response")
            self._done = True
            ends = [choice for choice in range(len(self._said)) if choice not in self._ended]
            if kind == "response.incomplete" and not ends:
                ends = [max(len(self._said) - 1, 0)]  # its text has ended, and says only now that it is not whole
        elif kind == "response.output_item.added":
            self._announced(body)
        told = [*told_by(body, family)]
        copies = self._copies(told)
        if kind in ITEM_ENDS:
            ends = sorted({copy.choice for copy in copies} - self._ended)
            self._paused |= {*ends}
        for choice in ends:
            self._ended.add(choice)
            events.append(Finish(choice=choice, frame=frame, part=len(events), reason=_reason(kind, body)))
        covered = {copy.path for copy in copies}
        openings: list[Opening] = []
        for text, opening in self._opened(frame, told, covered) if kind in OPENINGS else ():
            events.append(msgspec.structs.replace(text, part=len(events)))
            openings.append(opening)
        covered |= {opening.path for opening in openings}
        slots = tuple(slot for slot in all_slots(body) if slot.path not in covered)
        events.append(Opaque(frame=frame, part=len(events), slots=slots))
        whole = body["response"] if kind in _ENDS else {}
        usage = decode_usage(whole.get("usage"), whole.get("service_tier"))
        if usage is not None:
            events.append(UsageReport(frame=frame, part=len(events), usage=usage))
        frame.places, frame.size = [*openings, *copies], len(events)
        return events

    def fragment(self, frame: Frame, family: str) -> TextEvent:
        """The text of a `.delta` frame: all that it holds, if a translator made it. Raises `UpstreamError` for one
        that comes behind the end of its text."""
        body = frame.body
        event_type, text_kind, _ = _said_of(family)
        choice = self._numbered(body, text_kind)
        if self._is_over(choice):
            raise UpstreamError("upstream_invalid_response")  # to guards it would be another text
        frame.size = 1
        return self._next(event_type(choice=choice, frame=frame, text=body["delta"]), item_of(body))

    def _next(self, text: TextEvent, item: int | str | None) -> TextEvent:
        """What is said next; the first of a call says which one it is."""
        said = self._said[text.choice]
        said.append(text.text)
        if isinstance(text, ToolCallDelta) and len(said) == 1:
            return msgspec.structs.replace(text, **self._called.get(item, {}))
        return text

    def _delta(self, frame: Frame, family: str) -> Sequence[Event]:
        body, text = frame.body, self.fragment(frame, family)
        rest = [] if _is_plain(body) else [slot for slot in all_slots(body) if slot.path != ("delta",)]
        if not rest:
            return (text,)
        frame.size = 2
        return (text, Opaque(frame=frame, part=1, slots=tuple(rest)))

    def _is_text(self, family: str) -> bool:
        """Whether events of this family end a text: also one that is new to us, if some of it came."""
        return family in DELTAS or family in self._kinds

    def _numbered(self, body: JsonObject, kind: str) -> int:
        """The number of the text that a frame is about."""
        key = key_of(body, kind)
        choice = self._lanes.get(key)
        if choice is not None and choice not in self._ended:
            return choice
        return self._choice(names_of(key, item_id_of(body)))

    def _choice(self, lanes: tuple[Lane, ...]) -> int:
        """The number of a text that is known by these names; one that is new has the next. Behind the end of a text,
        that of an item with another id is new, although some servers give it the same place."""
        key, own = lanes[0], lanes[-1]
        choice = self._lanes.get(key)
        if choice is not None and choice not in self._ended:
            return choice
        if choice is None or own not in self._lanes:
            self._lanes[key] = choice = len(self._said)
            self._lanes.setdefault(own, choice)
            self._said.append([])
            self._kinds.add(key[1])
        return choice

    def _is_over(self, choice: int) -> bool:
        """Whether a text has ended. Where only its item or part said so, it may go on: some servers give the next one
        the same place."""
        if choice in self._paused:
            self._paused.remove(choice)
            self._ended.remove(choice)
        return choice in self._ended

    def _announced(self, body: JsonObject) -> None:
        """Keep which call an item is, for its first fragment to say."""
        at, item = item_of(body), body.get("item")
        if at is not None and isinstance(item, dict):
            named = {"id": item.get("call_id"), "name": item.get("name")}
            self._called[at] = {key: value for key, value in named.items() if isinstance(value, str)}

    def _copies(self, told: Sequence[Told]) -> list[Copy]:
        """The places that repeat exactly what deltas have said. What they did not say is read as text of its own."""
        found: list[Copy] = []
        for place, lanes in told:
            known = (self._lanes[lane] for lane in lanes if lane in self._lanes)
            choice = next((choice for choice in known if place.text == "".join(self._said[choice])), None)
            if choice is not None and place.text:
                found.append(Copy(place.path, choice))
        return found

    def _opened(
        self, frame: Frame, told: Sequence[Told], covered: Container[Path]
    ) -> Iterator[tuple[TextEvent, Opening]]:
        """The texts that a frame opens with words of theirs."""
        for place, lanes in told:
            if not place.text or place.path in covered:
                continue
            choice = self._choice(lanes)
            if not self._is_over(choice):
                event = _TYPES[place.kind](choice=choice, frame=frame, text=place.text)
                opening = Opening(place.path, choice, fragment_of(frame.body, place, lanes))
                yield self._next(event, lanes[0][0]), opening


def opens(event: Event) -> bool:
    """Whether an event says nothing, new or again: it opens a response, an item or a part, tells how far a tool is, or
    that the stream is alive (`keepalive`, openai/openai-node#1964)."""
    if not isinstance(event, Opaque) or event.frame is None:
        return False
    return event.frame.name in OPENINGS or not (event.slots or event.frame.places)


def carries_text(frame: Frame) -> bool:
    """Whether a frame is a fragment of a text. One of a family that is new to us is content."""
    family, _, step = frame.name.rpartition(".")
    return step == "delta" and family not in _SOUND and isinstance(frame.body.get("delta"), str)


def _said_of(family: str) -> tuple[type[TextEvent], str, str]:
    return DELTAS.get(family) or (TextDelta, family, "")


def _is_plain(body: JsonObject) -> bool:
    """Whether a fragment's strings are identifiers, but for the fragment: nearly all are."""
    for key, value in body.items():
        if isinstance(value, str):
            known = key == "delta" or key in IDENTIFIERS
        elif isinstance(value, int):
            known = key in _NUMBERS
        else:
            known = key == "logprobs" and value == []
        if not known:
            return False
    return True


def _reason(kind: str, body: JsonObject) -> str:
    if kind != "response.incomplete":
        return "stop"
    details = body["response"].get("incomplete_details")
    filtered = isinstance(details, dict) and details.get("reason") == "content_filter"
    return "content_filter" if filtered else "length"
