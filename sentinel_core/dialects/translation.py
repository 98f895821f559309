"""From one chat dialect to another, through the canonical form: OpenAI's chat JSON, and our own events without frames.

Each dialect knows only itself and the canonical form. Between a dialect and itself nothing is translated: requests,
answers and frames pass as they are. A dialect may have one side only: a client's, an upstream's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Sequence
from typing import NamedTuple, Protocol, TypeGuard

import msgspec

from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.canonical_form import checked
from sentinel_core.errors import Refusal
from sentinel_core.events import Event
from sentinel_core.json_types import JsonMapping
from sentinel_core.messages import Answer, Operation, Request
from sentinel_core.reply import EventStream, Reply


class Translated(NamedTuple):
    """A request's body in another dialect, and the names of what that dialect cannot express."""

    body: JsonMapping
    dropped: tuple[str, ...] = ()


class EventTranslator(Protocol):
    """Turns the events of one stream into those of another form. Keeps what it must know between events."""

    def translate(self, event: Event) -> Sequence[Event]:
        """What this event becomes; empty where the other form has nothing to say."""
        ...


class EventWriter(EventTranslator, Protocol):
    """The translator for a client's dialect."""

    def end(self) -> Sequence[Event]:
        """What is left to say once the stream is complete. Not called for one that broke."""
        ...


class ClientChat(Dialect, Protocol):
    """A dialect of chats whose clients can be answered by an upstream of another one."""

    def only_native(self, request: Request) -> str | None:
        """The parameter of a request that nobody but an upstream of this dialect can follow, so that the request is
        not to be translated; None where there is none."""
        ...

    def to_canonical_request(self, request: Request) -> Translated:
        """The body in OpenAI's form, and the names of what only an upstream of this dialect could have been told. What
        another vendor has and that form lacks is kept below `extra_content.<vendor>`. Raises `Refusal`."""
        ...

    def answer_from_canonical(self, body: JsonMapping, request: Request) -> Answer:
        """The answer to `request` in this dialect. Raises `UpstreamError` for what it cannot hold."""
        ...

    def stream_from_canonical(self, request: Request) -> EventWriter:
        """For the stream of canonical events that answers `request`: chunks become frames of this dialect or nothing;
        events without frames are the encoder's to write, unless this dialect makes frames of them too."""
        ...


class UpstreamChat(Dialect, Protocol):
    """A dialect of chats whose upstreams can answer a client of another one."""

    def from_canonical_request(self, body: JsonMapping, model: str) -> Translated:
        """The body for an upstream of this dialect that serves `model`. Raises `Refusal` for what makes no sense."""
        ...

    def answer_to_canonical(self, answer: Answer) -> JsonMapping:
        """The answer in OpenAI's form."""
        ...

    def stream_to_canonical(self) -> EventTranslator:
        """For one stream of this dialect: the first event out is an `Opaque` whose frame is OpenAI's opening chunk
        (id, created, model, role); those after it have no frame, except for extensions, which are chunks too."""
        ...


def anywhere(request: Request) -> None:
    """`only_native` of a dialect whose requests any chat can be asked."""


def _asks(dialect: Dialect) -> TypeGuard[ClientChat]:
    return hasattr(dialect, "to_canonical_request")


def _answers(dialect: Dialect) -> TypeGuard[UpstreamChat]:
    return hasattr(dialect, "from_canonical_request")


def performed(request: Request, operations: Container[Operation]) -> Operation | None:
    """Which of a provider's operations serves the request: its own, else `chat` where it may be translated, else none.

    Raises nothing: what is in the request that cannot be translated is `only_native`'s to say.
    """
    if request.operation in operations:
        return request.operation
    return "chat" if "chat" in operations and _asks(request.dialect) else None


def bound_to_native(request: Request) -> bool:
    """Whether only an upstream of the client's dialect can follow the request."""
    return kept_elsewhere(request) is not None


def kept_elsewhere(request: Request) -> str | None:
    """The parameter that refers to something which an upstream of the client's dialect keeps; None without one."""
    return request.dialect.only_native(request) if _asks(request.dialect) else None


def canonical_request(request: Request, model: str) -> Translated:
    """The request in OpenAI's form, its shape checked, and what of it that form has no place for.

    Raises `Refusal` for a wrong shape, where its dialect has no such form, and for what no translation carries.
    """
    dialect = request.dialect
    if not _asks(dialect) or request.operation != "chat":
        raise _other_format(model)
    name = dialect.only_native(request)
    if name is not None:
        words = f"Only a provider that has this API itself can follow {name!r}; the model {model!r} is at another."
        raise Refusal("unsupported_parameter", words, param=name)
    body, lost = dialect.to_canonical_request(request)
    return Translated(checked(body), lost)


def translated_request(request: Request, target: Dialect, model: str) -> tuple[Request, tuple[str, ...]]:
    """The request in the dialect `target`, and what had to be left out."""
    if not _answers(target):
        raise _other_format(model)
    canonical, lost = canonical_request(request, model)
    body, dropped = target.from_canonical_request(canonical, model)
    return msgspec.structs.replace(request, dialect=target, body=body, include_usage=False), lost + dropped


def _other_format(model: str) -> Refusal:
    return Refusal("invalid_request", f"The model {model!r} is not served in the format of this route.")


def translated_reply(reply: Reply, request: Request) -> Reply:
    """The reply in the dialect of `request`; closing a stream closes the one that it translates. Raises as below."""
    if isinstance(reply, Answer):
        return translated_answer(reply, request)
    events = translated_events(reply, reply.dialect, request)
    return EventStream(events, reply.aclose, reply.dropped, dialect=request.dialect)


def translated_answer(answer: Answer, request: Request) -> Answer:
    """The answer in the dialect of `request`; the answer itself where that is its own. Its counts stay the provider's,
    who may tell kinds of tokens apart that no other dialect has a word for. Raises `UpstreamError` for what the dialect
    cannot hold, `TypeError` where no translation leads there."""
    source, target = answer.dialect, request.dialect
    if source is target:
        return answer
    if not _answers(source) or not _asks(target):
        raise _no_way(source, target)
    translated = target.answer_from_canonical(source.answer_to_canonical(answer), request)
    return msgspec.structs.replace(translated, usage=answer.usage, dropped=answer.dropped)


def translated_events(events: AsyncIterator[Event], source: Dialect, request: Request) -> AsyncIterator[Event]:
    """The events of a stream of `source` in the dialect of `request`; the iterator itself where that is the same.
    Raises `TypeError` where no translation leads there."""
    target = request.dialect
    if source is target:
        return events
    if not _answers(source) or not _asks(target):
        raise _no_way(source, target)
    return _translated(events, source.stream_to_canonical(), target.stream_from_canonical(request))


def _no_way(source: Dialect, target: Dialect) -> TypeError:
    return TypeError(f"a client of {target.name} cannot be given an answer in {source.name}")


async def _translated(
    events: AsyncIterator[Event], inwards: EventTranslator, outwards: EventWriter
) -> AsyncIterator[Event]:
    async for event in events:
        for canonical in inwards.translate(event):
            for translated in outwards.translate(canonical):
                yield translated
    for last in outwards.end():
        yield last
