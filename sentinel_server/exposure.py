"""What must not be served by accident, or cannot be: checked before anything listens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sentinel_core.config import ServerSettings
from sentinel_core.config.document import problem_at
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.gateway import Gateway
from sentinel_core.keys import PRINCIPAL, Key
from sentinel_core.stage import Stage
from sentinel_server.runners import missing


def check(gateway: Gateway) -> None:
    """Raise `ConfigError` for a configuration that would serve strangers, or count and keep rows once per process.

    Beyond loopback some stage must authenticate, unless `[server] allow_anonymous` says that something in front does.
    Several workers or replicas need stores that they share, unless `approximate` in `[state]` or `[records]` accepts
    that each counts, or keeps rows, alone. The runner must be installed.
    """
    problems = [*_strangers(gateway), *_approximations(gateway), *_runner(gateway)]
    if problems:
        raise ConfigError(problems)


def authenticates(gateway: Gateway) -> bool:
    """Whether one of the stages says who calls, and is configured to know somebody."""
    return any(
        PRINCIPAL in _written(plan.kind) and getattr(plan.config, "authenticates", True)
        for plan in gateway.chain.stages
    )


def _written(stage: type[Stage]) -> Sequence[Key[Any]]:  # Any: keys of every type
    return stage.writes if isinstance(stage.writes, tuple) else stage.writes.get("on_request", ())


def _strangers(gateway: Gateway) -> Iterator[ConfigProblem]:
    server = gateway.settings.server
    if not server.loopback and not server.allow_anonymous and not authenticates(gateway):
        yield _problem(
            gateway,
            ("server", "host"),
            "this address can be reached from other machines, and no stage authenticates callers",
            found=repr(server.host),
            expected="an authenticating stage, or host = '127.0.0.1'",
            suggestion="where something in front authenticates, say so: [server] allow_anonymous = true",
        )


def _approximations(gateway: Gateway) -> Iterator[ConfigProblem]:
    server = gateway.settings.server
    state, records = gateway.blueprint.state, gateway.blueprint.records
    if server.workers * server.replicas == 1:
        return
    if not state.kind.shared and not getattr(state.config, "approximate", False):
        yield _problem(
            gateway,
            ("state", "kind"),
            f"{_counted(server)} would each count limits on their own in {state.kind.kind!r} state",
            found=repr(state.kind.kind),
            expected="a store that they share, such as Redis (kind = 'redis'), or one worker in one replica",
            suggestion="to accept up to that many times every limit: [state] approximate = true",
        )
    if not records.kind.durable and not getattr(records.config, "approximate", False):
        yield _problem(
            gateway,
            ("records", "kind"),
            f"{_counted(server)} would each keep their own rows in {records.kind.kind!r} records",
            found=repr(records.kind.kind),
            expected="a store that they share: kind = 'sqlite' on one machine, 'redis' for a fleet",
            suggestion="to accept that each answers from its own rows: [records] approximate = true",
        )


def _runner(gateway: Gateway) -> Iterator[ConfigProblem]:
    settings = gateway.settings
    problem = missing(settings.server.runner)
    if problem is not None:
        yield replace(problem, where=str(settings.document.origin(("server", "runner")) or ""))


def _counted(server: ServerSettings) -> str:
    """Who counts, in words."""
    counts = ((server.workers, "workers"), (server.replicas, "replicas"))
    return " in each of ".join(f"{number} {word}" for number, word in counts if number > 1)


def _problem(
    gateway: Gateway, steps: tuple[str, str], message: str, *, found: str, expected: str, suggestion: str
) -> ConfigProblem:
    """A problem with one key, naming who set it, or the file in which it is missing."""
    words = {"found": found, "expected": expected, "suggestion": suggestion}
    problem = problem_at(gateway.settings.document, steps, message, whole=False, **words)
    path = gateway.settings.path
    return problem if problem.where or path is None else replace(problem, where=str(path))
