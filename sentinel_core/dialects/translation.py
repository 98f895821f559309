"""From one chat dialect to another, through the canonical form: OpenAI's chat JSON, and our own events without frames.

Each dialect knows only itself and the canonical form. Between a dialect and itself nothing is translated: requests,
answers and frames pass as they are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeGuard

import msgspec

from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.canonical_form import checked
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.messages import Answer, Event, Request


class Translated(NamedTuple):
    """A request's body in another dialect, and the names of what that dialect cannot express."""

    body: Mapping[str, Any]  # JSON
    dropped: tuple[str, ...] = ()


class EventTranslator(Protocol):
    """Turns the events of one stream into those of another form. Keeps what it must know between events."""

    def translate(self, event: Event) -> Sequence[Event]:
        """What this event becomes; empty where the other form has nothing to say."""
        ...


class ChatDialect(Dialect, Protocol):
    """A dialect of chats that can be translated."""

    def to_canonical_request(self, request: Request) -> Mapping[str, Any]:  # JSON
        """The body in OpenAI's form. What that form lacks is kept below `extra_content.<vendor>`."""
        ...

    def from_canonical_request(self, body: Mapping[str, Any], model: str) -> Translated:  # JSON
        """The body for an upstream of this dialect that serves `model`. Raises `Refusal` for what makes no sense."""
        ...

    def answer_to_canonical(self, answer: Answer) -> Mapping[str, Any]:  # JSON
        """The answer in OpenAI's form."""
        ...

    def answer_from_canonical(self, body: Mapping[str, Any]) -> Answer:  # JSON
        """An answer of this dialect. Raises `UpstreamError` for what it cannot hold."""
        ...

    def stream_to_canonical(self) -> EventTranslator:
        """For one stream of this dialect: the first event out is an `Opaque` whose frame is OpenAI's opening chunk
        (id, created, model, role); those after it have no frame, except for extensions, which are chunks too."""
        ...

    def stream_from_canonical(self) -> EventTranslator:
        """For one stream of canonical events: chunks become frames of this dialect or nothing; the encoder makes the
        frames of all others."""
        ...


def _translates(dialect: Dialect) -> TypeGuard[ChatDialect]:
    """Whether a dialect can be translated from and to."""
    return hasattr(dialect, "to_canonical_request")


def canonical_request(request: Request, model: str) -> Mapping[str, Any]:  # JSON
    """The request in OpenAI's form, its shape checked. Raises `Refusal` for a wrong one, or where its dialect has
    none."""
    if not _translates(request.dialect) or request.operation != "chat":
        raise _other_format(model)
    return checked(request.dialect.to_canonical_request(request))


def translated_request(request: Request, target: Dialect, model: str) -> tuple[Request, tuple[str, ...]]:
    """The request in the dialect `target`, and what had to be left out."""
    if not _translates(target):
        raise _other_format(model)
    body, dropped = target.from_canonical_request(canonical_request(request, model), model)
    return msgspec.structs.replace(request, dialect=target, body=body, include_usage=False), dropped


def _other_format(model: str) -> Refusal:
    return Refusal("invalid_request", f"The model {model!r} is not served in the format of this route.")


def translated_answer(answer: Answer, target: Dialect) -> Answer:
    """The answer in the dialect `target`; the answer itself where that is its own."""
    source = answer.dialect
    if source is target:
        return answer
    if not _translates(source) or not _translates(target):
        raise UpstreamError("upstream_invalid_response")
    return target.answer_from_canonical(source.answer_to_canonical(answer))


def translated_events(events: AsyncIterator[Event], source: Dialect, request: Request) -> AsyncIterator[Event]:
    """The events of a stream of `source` in the dialect of `request`; the iterator itself where that is the same."""
    target = request.dialect
    if source is target:
        return events
    if not _translates(source) or not _translates(target):
        raise UpstreamError("upstream_invalid_response")
    return _translated(events, source.stream_to_canonical(), target.stream_from_canonical())


async def _translated(
    events: AsyncIterator[Event], inwards: EventTranslator, outwards: EventTranslator
) -> AsyncIterator[Event]:
    async for event in events:
        for canonical in inwards.translate(event):
            for translated in outwards.translate(canonical):
                yield translated
