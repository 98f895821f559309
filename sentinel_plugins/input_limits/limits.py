"""What of a request is beyond its limits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from sentinel_core.errors import Refusal
from sentinel_core.messages import Request
from sentinel_plugins.input_limits.config import InputLimitsConfig, Limit
from sentinel_plugins.input_limits.measure import Message, Sizes, is_empty, messages, named

LimitName: TypeAlias = Literal[
    "messages", "message_chars", "total_chars", "empty_messages", "tools", "stop_sequences", "tokens", "choices"
]

_SAYS: Mapping[LimitName, str] = {
    "messages": "has {found} messages; at most {allowed} are allowed",
    "message_chars": "belongs to a message of {found} characters; at most {allowed} are allowed",
    "total_chars": "belongs to a request of {found} characters; at most {allowed} are allowed",
    "empty_messages": "is empty; leave the message out, or say something",
    "tools": "has {found} tools; at most {allowed} are allowed",
    "stop_sequences": "has {found} sequences; at most {allowed} are allowed",
    "tokens": "is {found}; at most {allowed} is allowed",
    "choices": "is {found}; at most {allowed} is allowed",
}


class Excess(NamedTuple):
    """One thing that is too much: which limit it breaks, where it stands in the caller's request, how much is allowed
    and how much was found."""

    limit: LimitName
    param: str
    allowed: int = 0
    found: int = 0

    def refusal(self) -> Refusal:
        """400, with the place and the numbers."""
        says = _SAYS[self.limit].format(found=self.found, allowed=self.allowed)
        details = None if self.limit == "empty_messages" else {"limit": self.allowed, "requested": self.found}
        message = f"The parameter {self.param!r} {says}."
        return Refusal("invalid_parameter", message, param=self.param, details=details)


class Limits:
    """The limits of one configuration. What is cheap to see is looked at first, and what nobody asks for not at all."""

    def __init__(self, config: InputLimitsConfig) -> None:
        self._messages = _number(config.max_messages)
        self._message_chars = _number(config.max_message_chars)
        self._total_chars = _number(config.max_total_chars)
        self._tools = _number(config.max_tools)
        self._stops = _number(config.max_stop_sequences)
        self._tokens = _number(config.max_tokens)
        self._choices = _number(config.max_choices)
        self._refuses_empty = config.empty_messages == "refuse"

    def sizes(self, request: Request) -> Iterator[Excess]:
        """What the request holds too much of."""
        fields, said = request.dialect.request_fields, messages(request)
        if len(said) > self._messages:
            yield Excess("messages", fields.messages, int(self._messages), len(said))
        yield from _long_lists(request, "tools", fields.tools, self._tools)
        yield from _long_lists(request, "stop_sequences", fields.stops, self._stops)
        if self._refuses_empty:
            yield from (_empty(message) for message in said if is_empty(message.value))
        yield from self._texts(Sizes(request, said), said, fields.messages)

    def asked(self, request: Request) -> Iterator[Excess]:
        """What the request asks too much of; `param` is a top-level member, and `allowed` could stand there."""
        fields = request.dialect.request_fields
        yield from _high_numbers(request, "tokens", fields.output_caps, self._tokens)
        yield from _high_numbers(request, "choices", fields.choices, self._choices)

    def _texts(self, sizes: Sizes, said: list[Message], field: str) -> Iterator[Excess]:
        for message in said:
            found = sizes.by_place.get(message.path, 0)
            if found > self._message_chars:
                place = named(sizes.heaviest(message.path))
                yield Excess("message_chars", place, int(self._message_chars), found)
        if sizes.total > self._total_chars:
            place = named(sizes.heaviest()) or field
            yield Excess("total_chars", place, int(self._total_chars), sizes.total)


def _number(limit: Limit) -> float:
    return math.inf if limit == "unlimited" else limit


def _long_lists(request: Request, limit: LimitName, names: tuple[str, ...], most: float) -> Iterator[Excess]:
    for name in names:
        items = request.body.get(name)
        if isinstance(items, list) and len(items) > most:
            yield Excess(limit, name, int(most), len(items))


def _high_numbers(request: Request, limit: LimitName, names: tuple[str, ...], most: float) -> Iterator[Excess]:
    for name in names:
        number = request.body.get(name)
        if type(number) is int and number > most:
            yield Excess(limit, name, int(most), number)


def _empty(message: Message) -> Excess:
    content = isinstance(message.value, Mapping) and "content" in message.value
    return Excess("empty_messages", named((*message.path, "content") if content else message.path))
