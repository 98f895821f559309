"""A drawn exchange: its stages, its upstream, what goes wrong, and a record of what was opened and what was ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from sentinel_core.context import Call, CallNext, Context, Outcome
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Event
from sentinel_core.hookspecs import PHASES, hookimpl
from sentinel_core.messages import Answer
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.reply import EventStream, Reply
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import completion, content_chunk, events_of
from sentinel_core.transform import Transformed

Legs = Literal["one", "retry", "hedge"]
Kind = Literal["refuse", "fault", "unasked"]


@dataclass(frozen=True)
class Shape:
    """One stage: its phases, whether they are coroutine functions, and what its dispatch asks of the upstream."""

    phases: frozenset[str]
    waits: bool
    legs: Legs = "one"


@dataclass(frozen=True)
class Trouble:
    """One stage fails in one phase; in `on_stream` at the event of this number."""

    stage: int
    phase: str
    kind: Kind
    at: int = 0


@dataclass(frozen=True)
class Scene:
    """One exchange. `cut` is the event at which the upstream breaks, -1 for the call itself; `leave_after` is how many
    events the caller takes; `cancels` are the loop turns at which the caller's task is cancelled."""

    shapes: tuple[Shape, ...]
    stream: bool
    texts: int = 3
    trouble: Trouble | None = None
    cut: int | None = None
    leave_after: int | None = None
    cancels: tuple[int, ...] = ()


@dataclass
class Record:
    """What was opened, and what was ended."""

    scene: Scene
    asked: int = 0
    passed: int = 0
    finishing: Counter[int] = field(default_factory=Counter)
    finished: Counter[int] = field(default_factory=Counter)
    closing: Counter[int] = field(default_factory=Counter)
    closed: Counter[int] = field(default_factory=Counter)
    slots: list[list[str]] = field(default_factory=list)
    streams: int = 0
    pulled: int = 0
    refusal: Refusal | None = None

    @property
    def entered(self) -> int:
        """How many stages were entered: all, once every `on_request` has let the request pass."""
        asking = sum("on_request" in shape.phases for shape in self.scene.shapes)
        return len(self.scene.shapes) if self.passed == asking else self.asked

    def trouble(self, stage: int, phase: str, at: int = 0) -> None:
        """Fail here, if this is the place."""
        trouble = self.scene.trouble
        if trouble is None or (trouble.stage, trouble.phase) != (stage, phase):
            return
        if trouble.at != at and phase in ("dispatch", "on_stream"):
            return
        if trouble.kind == "refuse":
            self.refusal = Refusal("content_policy_violation", status=422)
            raise self.refusal
        raise asyncio.CancelledError if trouble.kind == "unasked" else RuntimeError("on purpose")

    def hang(self, reply: Reply) -> None:
        """A slot that ends with the reply."""
        endings: list[str] = []
        self.slots.append(endings)
        reply.on_close(endings.append)

    def assert_ended(self) -> None:
        """Every stream closed once, every slot told once, every entered stage finished once, and none other."""
        once = Counter(range(self.streams))
        assert (self.closing, self.closed) == (once, once)
        assert all(len(endings) == 1 for endings in self.slots)
        owed = Counter(place for place in range(self.entered) if "on_finish" in self.scene.shapes[place].phases)
        assert self.finishing == owed
        trouble = self.scene.trouble
        if trouble is not None and trouble.phase == "on_finish":
            owed[trouble.stage] = 0
        assert +self.finished == +owed


async def turn() -> None:
    """One await point."""
    await asyncio.sleep(0)


class Actor(Stage):
    """A stage that notes what happens to it, and fails where the scene says so."""

    place: int

    def __init__(self, record: Record) -> None:
        super().__init__(StageConfig())
        self.record = record

    def trouble(self, phase: str, at: int = 0) -> None:
        """Fail here, if this is the place."""
        self.record.trouble(self.place, phase, at)


class Waiting:
    """The phases as coroutine functions, with an await point on both sides of what may fail."""

    @hookimpl
    async def on_request(self: Any, ctx: Context) -> None:  # Any: mixed into an Actor
        self.record.asked = self.place + 1
        await turn()
        self.trouble("on_request")
        await turn()
        self.record.passed += 1

    @hookimpl
    async def on_response(self: Any, answer: Answer) -> Answer:  # Any: mixed into an Actor
        await turn()
        self.trouble("on_response")
        return answer

    @hookimpl
    async def on_stream(self: Any, events: AsyncIterator[Event]) -> AsyncIterator[Event]:  # Any: mixed into an Actor
        number = 0
        async for event in events:
            await turn()
            self.trouble("on_stream", number)
            number += 1
            yield event

    @hookimpl
    async def on_finish(self: Any, outcome: Outcome) -> None:  # Any: mixed into an Actor
        self.record.finishing[self.place] += 1
        await turn()
        self.trouble("on_finish")
        await turn()
        self.record.finished[self.place] += 1


class Passing:
    """Hands every event on, unless this is the place to fail."""

    def __init__(self, actor: Any) -> None:  # Any: as in the mixins
        self._actor = actor
        self._number = 0

    def event(self, event: Event) -> Sequence[Event]:
        """The event."""
        self._number += 1
        self._actor.trouble("on_stream", self._number)
        return (event,)

    def end(self) -> Sequence[Event]:
        """Nothing is held."""
        return ()


class Plain:
    """The phases as plain functions."""

    @hookimpl
    def on_request(self: Any) -> None:  # Any: mixed into an Actor
        self.record.asked = self.place + 1
        self.trouble("on_request")
        self.record.passed += 1

    @hookimpl
    def on_response(self: Any, answer: Answer) -> Answer:  # Any: mixed into an Actor
        self.trouble("on_response")
        return answer

    @hookimpl
    def on_stream(self: Any, events: AsyncIterator[Event]) -> AsyncIterator[Event]:  # Any: mixed into an Actor
        self.trouble("on_stream")
        return Transformed(Passing(self), events) if self.place % 2 else events

    @hookimpl
    def on_finish(self: Any, outcome: Outcome) -> None:  # Any: mixed into an Actor
        self.record.finishing[self.place] += 1
        self.trouble("on_finish")
        self.record.finished[self.place] += 1


class One:
    """Asks the upstream once."""

    @hookimpl
    async def dispatch(self: Any, call: Call, call_next: CallNext) -> Reply:  # Any: mixed into an Actor
        await turn()
        self.trouble("dispatch", 0)
        reply: Reply = await call_next(call)
        self.record.hang(reply)
        await turn()
        self.trouble("dispatch", 1)
        return reply


class Retry:
    """Throws the first reply away."""

    @hookimpl
    async def dispatch(self: Any, call: Call, call_next: CallNext) -> Reply:  # Any: mixed into an Actor
        first = await call_next(call)
        self.record.hang(first)
        self.trouble("dispatch", 0)
        if isinstance(first, EventStream):
            await first.aclose()
        reply: Reply = await call_next(call)
        self.record.hang(reply)
        self.trouble("dispatch", 1)
        return reply


class Hedge:
    """Asks twice at the same time and takes what comes first."""

    @hookimpl
    async def dispatch(self: Any, call: Call, call_next: CallNext) -> Reply:  # Any: mixed into an Actor
        legs: list[asyncio.Task[Reply]] = [asyncio.create_task(call_next(call)) for _ in range(2)]
        winner: asyncio.Task[Reply] | None = None
        try:
            await asyncio.wait(legs, return_when=asyncio.FIRST_COMPLETED)
            self.trouble("dispatch", 0)
            winner = next(leg for leg in legs if leg.done())
            self.record.hang(winner.result())
            return winner.result()
        finally:
            await _discard([leg for leg in legs if leg is not winner])


async def _discard(legs: list[asyncio.Task[Reply]]) -> None:
    for leg in legs:
        leg.cancel()
    await asyncio.wait(legs)
    for leg in legs:
        if not leg.cancelled() and leg.exception() is None and isinstance(reply := leg.result(), EventStream):
            await reply.aclose()


LEGS: dict[Legs, type] = {"one": One, "retry": Retry, "hedge": Hedge}


def actors(record: Record) -> list[Stage]:
    """The scene's stages. Each is a class of its own: a chain reads phases from classes."""
    return [kind_of(place, shape)(record) for place, shape in enumerate(record.scene.shapes)]


@cache
def kind_of(place: int, shape: Shape) -> type[Actor]:
    """The class of a shape at this place."""
    written = Waiting if shape.waits else Plain
    phases = {phase: vars(written)[phase] for phase in PHASES if phase in shape.phases and phase in vars(written)}
    if "dispatch" in shape.phases:
        phases["dispatch"] = vars(LEGS[shape.legs])["dispatch"]
    return type(f"Actor{place}", (Actor,), {"name": f"actor_{place}", "place": place, **phases})


class Upstream(Provider):
    """Answers with an await point everywhere, closing included."""

    name = "upstream"

    def __init__(self, record: Record) -> None:
        super().__init__(ProviderConfig())
        self.record = record

    async def call(self, call: Call) -> Reply:
        await turn()
        if self.record.scene.cut == -1:
            raise UpstreamError("upstream_unreachable")
        if not call.request.stream:
            return completion("hello")
        number = self.record.streams
        self.record.streams += 1
        return EventStream(self._play(), lambda: self._close(number), dialect=OPENAI_CHAT)

    async def _play(self) -> AsyncIterator[Event]:
        for number in range(self.record.scene.texts):
            await turn()
            if self.record.scene.cut == number:
                raise UpstreamError("upstream_stream_interrupted")
            self.record.pulled += 1
            yield events_of(content_chunk("a"))[0]

    async def _close(self, number: int) -> None:
        self.record.closing[number] += 1
        await turn()
        await turn()
        self.record.closed[number] += 1
