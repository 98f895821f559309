"""What a chain refuses at start, and the forms in which a phase may be written."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from sentinel_core.chain import ChainPlan, StagePlan
from sentinel_core.context import Context
from sentinel_core.errors import ConfigError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import PRINCIPAL
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import settle
from tests.core.chain.stages import exchange, stage


class Misspelt(Stage):
    name = "wrong"

    @hookimpl
    def on_requst(self, ctx: Context) -> None: ...


class UnknownArgument(Stage):
    name = "wrong"

    @hookimpl
    def on_request(self, context: Context) -> None: ...


class Forgotten(Stage):
    name = "wrong"

    def on_request(self, ctx: Context) -> None: ...


class Inherited(Forgotten):
    name = "wrong"


class First(Stage):
    name = "wrong"

    @hookimpl(tryfirst=True)
    def on_request(self, ctx: Context) -> None: ...


class Last(Stage):
    name = "wrong"

    @hookimpl(trylast=True)
    def on_request(self, ctx: Context) -> None: ...


class ByKeyword(Stage):
    name = "wrong"

    @hookimpl
    def on_request(self, *, ctx: Context) -> None: ...


class Optional(Stage):
    name = "wrong"

    @hookimpl
    def on_request(self, ctx: Context | None = None) -> None: ...


class Observing(Stage):
    name = "wrong"
    observer = True

    @hookimpl
    def on_request(self, ctx: Context) -> None: ...


class Dispatching(Stage):
    name = "wrong"

    @hookimpl
    async def dispatch(self) -> Any: ...  # Any: never called


class Authenticating(Stage):
    name = "wrong"
    writes = (PRINCIPAL,)


class Reserving(Stage):
    name = "wrong"
    reserves = True


OPEN = StageConfig(on_fault="open")


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        (Misspelt, StageConfig(), "on_requst is marked with @hookimpl but is no phase"),
        (UnknownArgument, StageConfig(), "context"),
        (Forgotten, StageConfig(), "is not marked with @hookimpl"),
        (Inherited, StageConfig(), "is not marked with @hookimpl"),
        (First, StageConfig(), "tryfirst"),
        (Last, StageConfig(), "trylast"),
        (ByKeyword, StageConfig(), "on_request would never be given ctx"),
        (Optional, StageConfig(), "on_request would never be given ctx"),
        (Observing, StageConfig(mode="monitor"), "only a guard can run in monitor mode"),
        (Dispatching, StageConfig(mode="monitor"), "only a guard can run in monitor mode"),
        (Authenticating, OPEN, "a stage that writes the principal cannot fail open"),
        (Reserving, OPEN, "a stage that reserves cannot fail open"),
        (Stage, StageConfig(timeout_s=0), "a number of seconds above 0"),
    ],
)
def test_a_stage_whose_promise_would_be_untrue_is_refused_at_start(
    kind: type[Stage], config: StageConfig, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        ChainPlan([StagePlan("wrong", kind, config)])
    assert said in str(caught.value)
    assert "stages.wrong" in str(caught.value)


def test_a_stage_cannot_stand_in_the_chain_twice() -> None:
    with pytest.raises(ConfigError, match="twice"):
        ChainPlan([StagePlan("same", Stage, StageConfig())] * 2)


async def test_a_plain_function_may_return_an_awaitable_and_name_no_argument() -> None:
    ran: list[str] = []

    async def note(phase: str) -> None:
        await settle(1)
        ran.append(phase)

    def on_request(self: Stage) -> Awaitable[None]:
        return note("on_request")

    def on_finish(self: Stage) -> Awaitable[None]:
        return note("on_finish")

    driven = await exchange(stage("plain", on_request, on_finish), stream=False)
    assert (driven.error, ran) == (None, ["on_request", "on_finish"])


async def test_a_phase_that_its_configuration_leaves_idle_is_not_in_the_chain() -> None:
    ran: list[str] = []

    def on_request(self: Stage) -> None:
        ran.append("on_request")

    def on_finish(self: Stage) -> None:
        ran.append("on_finish")

    def unused(cls: type[Stage], config: StageConfig) -> tuple[str, ...]:
        return ("on_request",) if config.mode == "enforce" else ()

    found = stage("sometimes", on_request, on_finish, unused=classmethod(unused))
    await exchange(found, stream=False)
    assert ran == ["on_finish"]
    (row,) = ChainPlan([StagePlan("sometimes", type(found), StageConfig())]).rows()
    assert row.phases == ("on_finish",)
