"""The content blocks of one client's stream: one open at a time, numbered without gaps.

The wire wants blocks one after the other. Events come in any order: parallel tool calls of another dialect may
interleave, and a guard may release text after the block it came in has ended.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sentinel_core.dialects.anthropic_messages.inputs import bad_arguments, decoded
from sentinel_core.dialects.anthropic_messages.wire import delta, opened_block, sse
from sentinel_core.events import Event, Frame, TextEvent, ToolCallDelta
from sentinel_core.json_types import JsonObject

_encode = msgspec.json.Encoder().encode
Lane = tuple[str, int]
_TEXT: Lane = ("content", 0)


class Blocks:
    """Writes the events of blocks.

    An upstream's block keeps its own frames, renumbered only if blocks of ours came before it; its end is held until
    something else comes, so that late text still finds it open. While a tool's input is not whole, text of other lanes
    waits: a tool's input cannot go on in a second block. To one that was whole only space is added, which is left out.
    """

    __slots__ = ("_called", "_empty", "_ending", "_index", "_lane", "_next", "_said", "_source", "_waiting")

    def __init__(self) -> None:
        self._lane: Lane | None = None  # of the open block
        self._index = 0  # its number for the client
        self._source: int | None = None  # its number at the upstream, if it came from there
        self._ending = b""  # its end, held
        self._said: list[str] = []  # of a tool's input
        self._empty = False  # the upstream gave this tool no input
        self._next = 0
        self._called: set[Lane] = set()  # tools whose block has ended
        self._waiting: dict[Lane, list[TextEvent]] = {}

    def start(self, body: JsonObject, raw: bytes, parts: Mapping[int, Event]) -> bytes:
        """The upstream begins a block."""
        if self._waiting or self._unfinished():
            return self._texts(parts)
        released = self._close()
        self._open(_lane_of(body["content_block"].get("type"), parts), body["index"])
        self._note(parts)
        return released + sse("content_block_start", self._numbered(body, raw))

    def delta(self, frame: Frame, body: JsonObject | None, parts: Mapping[int, Event]) -> bytes:
        """The upstream goes on with a block; `body` is the frame's, changed, or None as it came."""
        if self._lane is None or frame.body["index"] != self._source:
            return self._texts(parts)
        self._note(parts)
        raw = frame.line if body is None else b""
        return sse("content_block_delta", self._numbered(frame.body if body is None else body, raw))

    def goes_on(self, frame: Frame) -> bool:
        """Whether a frame of text can leave as it came: most of a stream does."""
        index = frame.body["index"]
        if index != self._source or index != self._index or self._lane != _TEXT:
            return False
        return bool(frame.line)

    def stop(self, body: JsonObject, raw: bytes, *, empty: bool) -> bytes:
        """The upstream ends a block; `empty` if that was a tool's without input."""
        if self._lane is not None and body.get("index") == self._source:
            self._ending = sse("content_block_stop", self._numbered(body, raw))
            self._empty = empty
        return b""

    def between(self) -> bytes:
        """Something comes that belongs to no block: the end that is held, if no text of the block is missing."""
        return self._close() if self._ending and not self._unfinished() else b""

    def text(self, event: TextEvent) -> bytes:
        """Text without a block of its own: goes on with the open one of its lane, waits, or begins another.

        Raises `UpstreamError` for more of a tool's input that was whole: together they are no JSON object.
        """
        channel = "content" if event.channel == "refusal" else event.channel
        lane = (channel, event.index if channel == "tool_arguments" else 0)
        if lane in self._called:
            if event.text.strip():
                raise bad_arguments()
            return b""
        if lane != self._lane and (self._waiting or self._unfinished()):
            self._waiting.setdefault(lane, []).append(event)
            return b""
        return self._write(lane, event)

    def end(self) -> bytes:
        """No more text comes: what waited, and the open block's end."""
        waiting, self._waiting = self._waiting, {}
        released = b"".join(self._write(lane, event) for lane, events in waiting.items() for event in events)
        return released + self._close()

    def _texts(self, parts: Mapping[int, Event]) -> bytes:
        return b"".join(self.text(event) for event in parts.values() if isinstance(event, TextEvent))

    def _note(self, parts: Mapping[int, Event]) -> None:
        self._said += [event.text for event in parts.values() if isinstance(event, ToolCallDelta)]

    def _unfinished(self) -> bool:
        """Whether the open block is a tool's whose input is not whole: a whole object cannot go on."""
        if self._lane is None or self._lane[0] != "tool_arguments" or self._empty:
            return False
        try:
            decoded("".join(self._said))
        except msgspec.DecodeError:
            return True
        return False

    def _write(self, lane: Lane, event: TextEvent) -> bytes:
        released = b""
        if lane != self._lane:
            released = self._close()
            self._open(lane, None)
            body = {"type": "content_block_start", "index": self._index, "content_block": opened_block(event)}
            released += sse("content_block_start", _encode(body))
        if event.text:
            if lane[0] == "tool_arguments":
                self._said.append(event.text)
            body = {"type": "content_block_delta", "index": self._index, "delta": delta(event)}
            released += sse("content_block_delta", _encode(body))
        return released

    def _open(self, lane: Lane, source: int | None) -> None:
        self._lane, self._source, self._index = lane, source, self._next
        self._said, self._empty = [], False
        self._next += 1

    def _close(self) -> bytes:
        if self._lane is None:
            return b""
        body = {"type": "content_block_stop", "index": self._index}
        ending = self._ending or sse("content_block_stop", _encode(body))
        if self._lane[0] == "tool_arguments":
            self._called.add(self._lane)
        self._lane, self._source, self._ending = None, None, b""
        return ending

    def _numbered(self, body: JsonObject, raw: bytes) -> bytes:
        if self._index == self._source:
            return raw or _encode(body)
        return _encode({**body, "index": self._index})


def _lane_of(kind: object, parts: Mapping[int, Event]) -> Lane:
    """The lane that goes on in a block that the upstream began."""
    for event in parts.values():
        if isinstance(event, ToolCallDelta):
            return ("tool_arguments", event.index)
    return {"text": ("content", 0), "thinking": ("reasoning", 0)}.get(str(kind), ("other", 0))
