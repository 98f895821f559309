"""Every hook of Sentinel: what plugins contribute at start, and the phases a stage implements.

pluggy is the control plane only: these are read at start and compiled to tuples; no request passes through pluggy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Protocol

import pluggy

if TYPE_CHECKING:
    from sentinel_core.commands import Command
    from sentinel_core.context import Call, CallNext, Context, Outcome
    from sentinel_core.endpoints import Endpoint, Socket
    from sentinel_core.events import Event
    from sentinel_core.gateway import Gateway
    from sentinel_core.jobs import Job
    from sentinel_core.messages import Answer
    from sentinel_core.provider import Provider
    from sentinel_core.records import RecordStore
    from sentinel_core.reply import Reply
    from sentinel_core.services import ServiceFactory
    from sentinel_core.stage import Stage
    from sentinel_core.state import StateStore

PROJECT = "sentinel"
_HOOKABLE = (FunctionType, MethodType, staticmethod, classmethod)
"""Forms of a function that pluggy registers."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Manager(pluggy.PluginManager):
    """pluggy's manager of one kind of Sentinel's hooks. It looks for none among Python's own names and among a module's
    values that are no functions: together they are most of what a module has, and pluggy takes its time over each."""

    def __init__(self, hooks: type) -> None:
        super().__init__(PROJECT)
        self.add_hookspecs(hooks)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """pluggy's, for what a hook could be."""
        if name.startswith("__") or (
            isinstance(plugin, ModuleType) and not isinstance(vars(plugin).get(name), _HOOKABLE)
        ):
            return None
        return super().parse_hookimpl_opts(plugin, name)


class StartUpHooks(Protocol):
    """What a plugin module contributes. Called once, at start or reload."""

    @hookspec
    def sentinel_stages(self) -> Iterable[type[Stage]]:
        """Stage classes of this plugin."""

    @hookspec
    def sentinel_providers(self) -> Iterable[type[Provider]]:
        """Provider classes of this plugin."""

    @hookspec
    def sentinel_stores(self) -> Iterable[type[StateStore] | type[RecordStore]]:
        """State and record stores of this plugin.

        The entry point that brings one has its kind behind `state_` or `records_`: what `[state] kind = "acme"` names
        is called `state_acme`.
        """

    @hookspec
    def sentinel_services(self) -> Mapping[str, ServiceFactory]:
        """Factories of services by their `ServiceKey`, made once for as long as the gateway is open.

        `services.find(KEY)` gives what they made. The keys of Sentinel's own are in `sentinel_core.services`.
        """

    @hookspec
    def sentinel_endpoints(self, gateway: Gateway) -> Iterable[Endpoint | Socket]:
        """Routes of this plugin; every one declares its policy, and none is one of the gateway's own.

        One that could not be served is an error at start: a policy or a method that is none, a path that does not begin
        with `/` or has another parameter than `{name}` and `{name:path}`, a type that msgspec cannot describe.
        """

    @hookspec
    def sentinel_jobs(self, gateway: Gateway) -> Iterable[Job]:
        """Work in the background, for as long as the gateway is open."""

    @hookspec
    def sentinel_commands(self) -> Iterable[Command]:
        """Sub-commands of `sentinel`, none of which begins with the name of one of its own."""


class PhaseHooks(Protocol):
    """The five phases of a stage. Implement some; name only the arguments you want.

    A phase may be a plain function or a coroutine function; `on_stream` is an async generator function, or a plain one
    that returns an async iterator.
    """

    @hookspec
    def on_request(self, ctx: Context) -> Awaitable[Reply | None] | Reply | None:
        """On the way in, in chain order, before any dispatch.

        Return None to go on, a reply to answer here, raise `Refusal` to deny. Anything else raised is a fault.
        """

    @hookspec
    def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Awaitable[Reply]:
        """Around the upstream call only. Return a reply, from `await call_next(call)` or your own.

        Whoever discards a reply closes it. Hang slots and probes on `reply.on_close(f)`.
        """

    @hookspec
    def on_response(self, ctx: Context, answer: Answer) -> Awaitable[Answer] | Answer:
        """On the way out, reversed, for unary replies: the answer to hand on. Replace texts, never edit in place.

        A stage that implements only this also binds on streams: they are collected, up to 8 million characters. What it
        makes of an answer's texts and ends reaches the caller of a stream; other fields of the body, its `model` and
        its own among them, are those of whole answers only.
        """

    @hookspec
    def on_stream(self, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """On the way out, reversed, for streams: an async generator over the inner one.

        A stage that implements only this also binds on unary replies: they are decomposed into events. One that waits
        for nothing but its events may return `sentinel_core.transform.Transformed(transform, events)`: that costs less,
        for neighbours of that kind share one loop.
        """

    @hookspec
    def on_finish(self, ctx: Context, outcome: Outcome) -> Awaitable[None] | None:
        """Exactly once per entered stage, reversed, on every ending. Settle here what `on_request` reserved."""


PHASES: tuple[str, ...] = tuple(name for name in vars(PhaseHooks) if not name.startswith("_"))
