"""What the chain's tests share: stages made of single functions, one exchange through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from sentinel_core.chain import Tracker
from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import Driven, FakeProvider, chain_of, context, run
from sentinel_core.testing.fake_provider import Script

Method = Callable[..., Any]  # a phase, written as a method


def stage(
    name: str,
    *phases: Method,
    config: StageConfig | None = None,
    **attributes: Any,  # class attributes of Stage
) -> Stage:
    """A stage whose phases are these functions, by their names. Attributes are those of the class."""
    for phase in phases:
        phase.__qualname__ = f"{name}.{phase.__name__}"  # pluggy tells methods from functions by their dot
    methods = {phase.__name__: hookimpl(phase) for phase in phases}
    kind: type[Stage] = type(name, (Stage,), {"name": name, **attributes, **methods})
    return kind(config or StageConfig())


def open_on_fault() -> StageConfig:
    """A fault lets the request go on."""
    return StageConfig(on_fault="open")


def monitoring() -> StageConfig:
    """A guard that only watches."""
    return StageConfig(mode="monitor")


async def exchange(
    *stages: Stage, reply: Script = ("Hello",), stream: bool = True, ctx: Context | None = None
) -> Driven:
    """One exchange through these stages, with a scripted upstream (`reply`: a FakeProvider's script)."""
    provider, tracker = FakeProvider(reply), Tracker()
    driven = await run(chain_of(stages, provider, tracker), ctx or context(stream=stream))
    await tracker.drained()
    driven.sent = provider.calls
    assert provider.opened == provider.closed
    return driven


def verdicts(driven: Driven) -> dict[tuple[str, str], str]:
    """Every verdict's result by guard and direction."""
    assert driven.outcome is not None
    return {(verdict.guard, verdict.direction): verdict.result for verdict in driven.outcome.verdicts}


def released(driven: Driven) -> dict[tuple[str, str], int]:
    """How many characters left each guard, by its name and the direction."""
    assert driven.outcome is not None
    return {(verdict.guard, verdict.direction): verdict.released_chars for verdict in driven.outcome.verdicts}


def without_assembly(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """No stream can be put together as an answer of its dialect any more."""

    def assemble(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(type(OPENAI_CHAT), "assemble", assemble)
