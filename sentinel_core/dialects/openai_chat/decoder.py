"""The upstream's stream of `chat.completion.chunk` objects as events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sentinel_core.decoding import EVENT_LIMITS, decode_reply, mended
from sentinel_core.dialects.openai_chat.answer import decode_usage
from sentinel_core.dialects.openai_chat.arguments import arguments_text, made_text
from sentinel_core.dialects.openai_chat.call_indexes import CallIndexes
from sentinel_core.dialects.openai_chat.commitment import commits
from sentinel_core.dialects.openai_chat.content_parts import with_plain_content
from sentinel_core.dialects.openai_chat.copies import may_be_fragment
from sentinel_core.dialects.openai_chat.errors import is_error, reported_error
from sentinel_core.dialects.openai_chat.fields import IDENTIFIERS, KNOWN_KEYS, REASONING_KEYS, without_pictures
from sentinel_core.dialects.openai_chat.place import FUNCTION_CALL, Place, is_custom
from sentinel_core.dialects.openai_chat.plain_chunk import plain_chunk, tier_of
from sentinel_core.dialects.slots import Path, TextSlot, string_slots
from sentinel_core.errors import UpstreamError
from sentinel_core.events import (
    Event,
    Finish,
    Frame,
    Opaque,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    ToolInputDelta,
    UsageReport,
)
from sentinel_core.json_types import JsonObject, JsonValue

PLAIN_CHUNK = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint", "obfuscation"}
)
_PLAIN_CHOICE = frozenset({"index", "delta", "finish_reason", "logprobs"})
_TEXT_DELTA = frozenset({"role", "content", "refusal", *REASONING_KEYS})
Rest: TypeAlias = Callable[[JsonObject, Path, str], list[TextSlot]]
MAX_MISSES = 8
"""After so many chunks that are not plain ones, and none that is, a stream is decoded the general way at once."""


class ChatStreamDecoder:
    """Decodes one stream, and knows which of its choices are complete."""

    __slots__ = ("_calls", "_done", "_finished", "_misses", "_outside", "_seen", "_tier")

    def __init__(self) -> None:
        self._calls: dict[int, CallIndexes] = {}
        self._done = False
        self._misses = 0
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._outside: set[Path] = set()
        self._tier: JsonValue = None

    @property
    def done(self) -> bool:
        """`[DONE]` has been seen."""
        return self._done

    def decode(self, data: bytes, name: str = "") -> Sequence[Event]:
        """The events of one chunk. An empty object or payload (a ping) has none."""
        if self._done or not data:
            return ()
        if data.startswith(b"[DONE]"):
            self._done = True
            return ()
        if self._misses < MAX_MISSES and not name:
            event = plain_chunk(data)
            if event is not None:
                if self._misses >= 0:  # the first one
                    self._misses = -1_000_000
                    self._tier = tier_of(data) or self._tier
                self._seen.add(event.choice)
                return (event,)
            self._misses += 1
        data = mended(data)
        body = decode_reply(data, EVENT_LIMITS)
        if is_error(body) or (name == "error" and body):
            raise reported_error(body)
        if not body:
            return ()
        return self.events(data, body)

    def bears_content(self, event: Event) -> bool:
        """False for what opens a stream: role-only deltas, what hosts tell beside them, running token counts."""
        if isinstance(event, Opaque):
            return commits(event)
        return not isinstance(event, UsageReport)

    def end(self) -> None:
        """The upstream has ended. Only a finish reason for every choice makes an answer complete (U09)."""
        if not self._seen or self._seen != self._finished:
            raise UpstreamError("upstream_stream_interrupted")

    def events(self, data: bytes, body: JsonObject) -> Sequence[Event]:
        """The events of one decoded chunk; `data` is its payload, or empty where it has none. Raises as `decode`."""
        choices = body.get("choices")
        if choices is None:
            choices = body["choices"] = []  # clients read `choices` of every chunk
            data = b""
        if not isinstance(choices, list):
            raise UpstreamError("upstream_invalid_response")
        places: list[Place] = []
        frame = Frame(data, body)
        events: list[Event] = []
        if not all(isinstance(choice, dict) for choice in choices):
            raise UpstreamError("upstream_invalid_response")
        for position, choice in enumerate(choices):
            self._choice(choice, position, frame, events, places)
        slots = self._slots(body, choices)
        self._tier = body.get("service_tier") or self._tier
        usage = decode_usage(body["usage"], self._tier) if body.get("usage") else None
        ended = [position for position, choice in enumerate(choices) if choice.get("finish_reason")]
        if slots or not (events or usage or ended):
            events.append(Opaque(frame=frame, part=len(places), slots=slots, goes_on=self._goes_on(slots, choices)))
            places.append(Place("$opaque", paths=tuple(slot.path for slot in slots)))
        for position in ended:  # a guard lets go of what it holds ahead of an end: all that is said stands before that
            events.append(self._end(choices[position], position, frame, len(places)))
            places.append(Place("finish_reason", position))
        if usage is not None:
            events.append(UsageReport(frame=frame, part=len(places), usage=usage))
            places.append(Place("usage"))
        frame.places = places
        frame.size = len(places)
        return events

    def _slots(self, body: JsonObject, choices: list[JsonObject]) -> tuple[TextSlot, ...]:
        """The strings of a chunk that no event carries."""
        return (*outer_slots(body, choices, _PLAIN_CHOICE, _rest, "delta"), *_delta_slots(choices))

    def _goes_on(self, slots: Sequence[TextSlot], choices: list[JsonObject]) -> bool:
        """Whether a string that may be a fragment stands where one has stood before."""
        found = {slot.path for slot in slots if self._is_fragment(slot, choices)}
        goes_on = not found.isdisjoint(self._outside)
        self._outside |= found
        return goes_on

    def _is_fragment(self, slot: TextSlot, choices: list[JsonObject]) -> bool:
        """Whether a string outside the channels may be a part of a text that is streamed."""
        path = slot.path
        if slot.kind == "key" or len(path) < 4 or path[2] != "delta":
            return False
        return may_be_fragment(path[3:], slot.text, choices[int(path[1])]["delta"])

    def _choice(
        self, choice: JsonObject, position: int, frame: Frame, events: list[Event], places: list[Place]
    ) -> None:
        index = choice.get("index", position)
        if not isinstance(index, int):
            raise UpstreamError("upstream_invalid_response")
        self._seen.add(index)
        delta = choice.get("delta")
        if not delta and not isinstance(delta, dict):
            choice["delta"], frame.reencode = {}, True  # clients read `delta` of every choice
        if delta:
            if not isinstance(delta, dict):
                raise UpstreamError("upstream_invalid_response")
            plain = with_plain_content(delta)
            if plain is not delta:
                choice["delta"], frame.reencode, delta = plain, True, plain
            for key, value in delta.items():
                if not value or key == "role":
                    continue
                if key == "content" and isinstance(value, str):
                    events.append(TextDelta(choice=index, frame=frame, part=len(places), text=value))
                    places.append(Place(key, position))
                elif key in REASONING_KEYS and isinstance(value, str):
                    if key == "reasoning" and delta.get("reasoning_content"):
                        continue  # a copy: one of `_delta_slots`
                    events.append(ReasoningDelta(choice=index, frame=frame, part=len(places), text=value))
                    places.append(Place(key, position))
                elif key == "refusal" and isinstance(value, str):
                    events.append(RefusalDelta(choice=index, frame=frame, part=len(places), text=value))
                    places.append(Place(key, position))
                elif key == "tool_calls" and isinstance(value, list):
                    indexes = self._calls.get(index) or self._calls.setdefault(index, CallIndexes())
                    for tool, call in enumerate(value):
                        events.append(_tool_call(call, index, indexes, frame, len(places)))
                        places.append(Place(key, position, tool))
                elif key == "function_call" and isinstance(value, dict):
                    events.append(_function(value, index, FUNCTION_CALL, None, frame, len(places)))
                    places.append(Place(key, position))

    def _end(self, choice: JsonObject, position: int, frame: Frame, part: int) -> Finish:
        index, reason = choice.get("index", position), choice["finish_reason"]
        if not isinstance(reason, str):
            raise UpstreamError("upstream_invalid_response")
        self._finished.add(index)
        return Finish(choice=index, frame=frame, part=part, reason=reason)


def _tool_call(call: JsonValue, choice: int, indexes: CallIndexes, frame: Frame, part: int) -> ToolCallDelta:
    """A fragment of a call, which leaves with its index where it came without or with another one."""
    if not isinstance(call, dict):
        raise UpstreamError("upstream_invalid_response")
    given = call.get("index")
    if not isinstance(given, int | None):
        raise UpstreamError("upstream_invalid_response")
    function = call.get("function")
    identifier = call.get("id")
    made = ToolCallDelta
    if is_custom(call) or (call.get("type") == "custom" and function is None):
        made = ToolInputDelta
    if is_custom(call):
        function = {"name": call["custom"].get("name"), "arguments": call["custom"].get("input")}
    function = function if isinstance(function, dict) else {}
    index = indexes.of(given, _text(identifier), _text(function.get("name")))
    if index != given:
        call["index"], frame.reencode = index, True
    return _function(function, choice, index, identifier, frame, part, made)


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None


def _function(
    function: JsonObject,
    choice: int,
    index: int,
    identifier: JsonValue,
    frame: Frame,
    part: int,
    made: type[ToolCallDelta] = ToolCallDelta,
) -> ToolCallDelta:
    name = function.get("name")
    if made_text(function):
        frame.reencode = True
    return made(
        choice=choice,
        frame=frame,
        part=part,
        text=arguments_text(function.get("arguments")),
        index=index,
        id=identifier if isinstance(identifier, str) else None,
        name=name if isinstance(name, str) else None,
    )


def outer_slots(
    body: JsonObject, choices: list[JsonObject], plain: frozenset[str], rest: Rest, key: str
) -> list[TextSlot]:
    """The strings of a chunk and its choices outside the member `key` of these; `plain` are members without text, and
    `rest` finds the strings of a holder outside one of its members."""
    slots: list[TextSlot] = []
    for position, choice in enumerate(choices):
        if not plain.issuperset(choice) or choice.get("logprobs"):
            slots += rest(choice, ("choices", position), key)
    if not (PLAIN_CHUNK.issuperset(body) and _plain_top(body)):
        slots += rest(body, (), "choices")
    return slots


def _rest(holder: JsonObject, path: Path, covered: str) -> list[TextSlot]:
    """The strings of a chunk or a choice outside what becomes events."""
    rest = {key: value for key, value in holder.items() if key != covered}
    return string_slots(rest, path, role="assistant", skip=IDENTIFIERS, known=KNOWN_KEYS)


def _plain_top(body: JsonObject) -> bool:
    """Whether a chunk of known fields has strings only as identifiers and in its choices."""
    kinds = [*map(type, body.values())]
    numbers = (body.get("created"), body.get("usage"))
    return dict not in kinds and kinds.count(list) == 1 and str not in map(type, numbers)


def _delta_slots(choices: list[JsonObject]) -> list[TextSlot]:
    """The strings of deltas outside the four channels: unknown fields, and known ones of another shape."""
    slots: list[TextSlot] = []
    for position, choice in enumerate(choices):
        delta = choice.get("delta")
        if not delta or (_TEXT_DELTA.issuperset(delta) and _plain_values(delta)):
            continue
        path = ("choices", position, "delta")
        for key, value in delta.items():
            if value is None or (isinstance(value, str) and key in _TEXT_DELTA and not _is_copy(key, delta)):
                continue
            found = string_slots({key: value}, path, role="assistant", skip=IDENTIFIERS, known=KNOWN_KEYS)
            for slot in without_pictures(found, {key: value}):
                if not _is_arguments(slot.path[3:], delta):
                    slots.append(slot)
    return slots


def _plain_values(delta: JsonObject) -> bool:
    return all(isinstance(value, str | None) for value in delta.values()) and not _is_copy("reasoning", delta)


def _is_copy(key: str, delta: JsonObject) -> bool:
    """Whether this is the second name of reasoning that the first one already gave."""
    return key == "reasoning" and bool(delta.get("reasoning_content")) and bool(delta.get("reasoning"))


def _is_arguments(path: Path, delta: JsonObject) -> bool:
    """Whether a place in a delta is what a tool call's event carries."""
    if len(path) == 4 and path[0] == "tool_calls" and isinstance(path[1], int):
        custom = is_custom(delta["tool_calls"][path[1]])
        return path[2:] == (("custom", "input") if custom else ("function", "arguments"))
    return path == ("function_call", "arguments")
