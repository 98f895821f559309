"""Opens what plugins bring: whatever goes wrong is told with the table, and what comes is what it should be."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from inspect import iscoroutine
from typing import Any, Literal, TypeVar

from sentinel_core.chain import StagePlan
from sentinel_core.errors import ConfigError, ConfigProblem, SentinelError
from sentinel_core.gateway.blueprint import ProviderPlan
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.registry.hooks import broken
from sentinel_core.services import Services
from sentinel_core.stage import Stage

P = TypeVar("P", Stage, Provider)

log = logging.getLogger("sentinel.gateway")


async def opened_stage(plan: StagePlan, services: Services, stack: AsyncExitStack) -> Stage:
    """The stage, open until the stack closes. Raises `ConfigError` for an author's mistake; what the outside world does
    not let it have, an `OSError` say, passes with a note."""
    return await _opened(Stage, plan, f"stages.{plan.name}", services, stack)


async def opened_provider(plan: ProviderPlan, services: Services, stack: AsyncExitStack) -> Provider:
    """The provider, likewise; what it says of itself is looked at once."""
    table = f"providers.{plan.name}"
    provider = await _opened(Provider, plan, table, services, stack)
    if not isinstance(getattr(provider, "config", None), ProviderConfig):
        wrong, right = f"{type(provider).__name__} has no config", "super().__init__(config) in its __init__"
        raise ConfigError((ConfigProblem(wrong, table=table, expected=right),))
    names_of(provider, "performs", plan.name)
    return provider


def names_of(provider: Provider, question: Literal["models", "performs"], name: str) -> tuple[str, ...]:
    """What a provider answers with a collection of strings. Raises `ConfigError` for anything else."""
    table, asked = f"providers.{name}", f"{type(provider).__name__}.{question}()"
    try:
        answer: Any = getattr(provider, question)()  # Any: whatever a plugin gave
    except Exception as error:  # a plugin's own method may fail with anything
        raise ConfigError((broken(f"{asked} failed", error, table),)) from error
    kinds = (tuple, list) if question == "models" else (frozenset, set, tuple, list)
    if isinstance(answer, kinds) and all(isinstance(one, str) for one in answer):
        return tuple(answer)
    if iscoroutine(answer):
        answer.close()  # nobody will await it
    expected = f"{kinds[0].__name__} of strings"
    raise ConfigError((ConfigProblem(f"{asked} must return a {expected}, got {_shown(answer)}", table=table),))


async def _opened(
    of: type[P], plan: StagePlan | ProviderPlan, table: str, services: Services, stack: AsyncExitStack
) -> P:
    called = f"{plan.kind.__name__}.open()"
    try:
        manager: Any = plan.kind.open(plan.config, services)  # Any: whatever a plugin gave
        if not hasattr(type(manager), "__aenter__"):
            wrong = f"{called} is no asynchronous context manager, but {_shown(manager)}"
            raise ConfigError((ConfigProblem(wrong, table=table, expected="@asynccontextmanager above it"),))
        live: object = await stack.enter_async_context(manager)
    except (OSError, SentinelError) as error:
        error.add_note(f"[{table}] was being opened")
        raise
    except Exception as error:  # a plugin may fail with anything
        log.exception("[%s] could not be opened", table)  # as what fails to close: only here does anybody see its words
        raise ConfigError((broken(f"{called} failed", error, table),)) from error
    if not isinstance(live, of):
        wrong = f"{called} must yield a {of.__name__}, got {_shown(live)}"
        raise ConfigError((ConfigProblem(wrong, table=table, expected="`yield cls(config)` in it"),))
    return live


def _shown(given: object) -> str:
    """What a plugin gave, by its type: its contents are nobody's business."""
    items = sorted({type(one).__name__ for one in given}) if isinstance(given, tuple | list) else []
    return type(given).__name__ + (f" of {', '.join(items)}" if items else "")
