"""The calls of tools in one stream, by the number that Cohere gives each and by ours."""

from __future__ import annotations

from collections.abc import Sequence

from sentinel_core.errors import UpstreamError
from sentinel_core.events import ToolCallDelta
from sentinel_core.json_types import JsonValue

_NONE = "null"


def arguments_of(text: str) -> str:
    """A call's arguments. A tool without parameters is called with nothing or `null`; clients want an object."""
    return "{}" if text in ("", _NONE) else text


class OpenCalls:
    """Numbers the calls in the order in which they start, and holds back what may still become no arguments at all."""

    __slots__ = ("_count", "_held", "_numbers")

    def __init__(self) -> None:
        self._count = 0
        self._numbers: dict[int, int] = {}
        self._held: dict[int, str] = {}  # of calls that have said nothing yet

    def start(self, index: JsonValue, call: JsonValue) -> Sequence[ToolCallDelta]:
        """A call begins, with its id and name. Raises `UpstreamError` for one that cannot be read."""
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise UpstreamError("upstream_invalid_response")
        number, self._count = self._count, self._count + 1
        self._numbers[index if isinstance(index, int) else number] = number
        self._held[number] = ""
        identifier, name = call.get("id"), function.get("name")
        first = ToolCallDelta(
            index=number,
            id=identifier if isinstance(identifier, str) else None,
            name=name if isinstance(name, str) else None,
        )
        return (first, *self._say(number, function.get("arguments")))

    def go_on(self, index: JsonValue, call: JsonValue) -> Sequence[ToolCallDelta]:
        """A fragment of a call's arguments. Raises `UpstreamError` where nobody knows whose."""
        number = self._number(index)
        function = call.get("function") if isinstance(call, dict) else None
        if number is None or not isinstance(function, dict):
            raise UpstreamError("upstream_invalid_response")
        return self._say(number, function.get("arguments"))

    def end(self, index: JsonValue) -> Sequence[ToolCallDelta]:
        """A call is whole."""
        number = self._number(index)
        if number is None or number not in self._held:
            return ()
        return (ToolCallDelta(text=arguments_of(self._held.pop(number)), index=number),)

    def end_all(self) -> Sequence[ToolCallDelta]:
        """The answer is over: so are the calls that did not say so."""
        held, self._held = self._held, {}
        return [ToolCallDelta(text=arguments_of(text), index=number) for number, text in held.items()]

    def _number(self, index: JsonValue) -> int | None:
        """Ours for Cohere's; the last call's where it gives none."""
        if index is None:
            return self._count - 1 if self._count else None
        return self._numbers.get(index) if isinstance(index, int) else None

    def _say(self, number: int, arguments: JsonValue) -> Sequence[ToolCallDelta]:
        if not isinstance(arguments, str | None):
            raise UpstreamError("upstream_invalid_response")
        text = self._held.get(number, "") + (arguments or "")
        if number in self._held and _NONE.startswith(text):
            self._held[number] = text
            return ()
        self._held.pop(number, None)
        return (ToolCallDelta(text=text, index=number),) if text else ()
