"""What must not be served by accident, or cannot be: checked before anything listens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sentinel_core.authenticator import says_who
from sentinel_core.chain import StagePlan
from sentinel_core.config import ServerSettings, Settings
from sentinel_core.config.document import problem_at
from sentinel_core.errors import ConfigProblem
from sentinel_core.gateway.blueprint import Sketch
from sentinel_core.stage import Stage
from sentinel_server.runners import missing


def problems(sketch: Sketch) -> Iterator[ConfigProblem]:
    """What is wrong with a configuration that would serve strangers, or count and keep rows once per process.

    Beyond loopback some stage must authenticate, unless `[server] allow_anonymous` says that something in front does.
    Several workers or replicas need stores that they share, unless `approximate` in `[state]` or `[records]` accepts
    that each counts, or keeps rows, alone. The runner must be installed. What could not be drawn has the benefit of the
    doubt: what is wrong with it is told anyway.
    """
    yield from _strangers(sketch)
    yield from _approximations(sketch)
    yield from _runner(sketch.settings)


def authenticates(plan: StagePlan) -> bool:
    """Whether a stage says who calls, and is configured to know somebody."""
    return _says_who(plan.kind, plan)


def _says_who(kind: type[Stage], plan: StagePlan | None) -> bool:
    return says_who(kind) and (plan is None or getattr(plan.config, "authenticates", True))


def _strangers(sketch: Sketch) -> Iterator[ConfigProblem]:
    server = sketch.settings.server
    may_know_them = any(kind is None or _says_who(kind, plan) for kind, plan in sketch.stages)
    if not server.loopback and not server.allow_anonymous and not may_know_them:
        yield _problem(
            sketch.settings,
            ("server", "host"),
            "this address can be reached from other machines, and no stage authenticates callers",
            found=repr(server.host),
            expected="an authenticating stage, or host = '127.0.0.1'",
            suggestion="where something in front authenticates, say so: [server] allow_anonymous = true",
        )


def _approximations(sketch: Sketch) -> Iterator[ConfigProblem]:
    server, state, records = sketch.settings.server, sketch.state, sketch.records
    if server.workers * server.replicas == 1:
        return
    if state is not None and not state.kind.shared and not getattr(state.config, "approximate", False):
        yield _problem(
            sketch.settings,
            ("state", "kind"),
            f"{_counted(server)} would each count limits on their own in {state.kind.kind!r} state",
            found=repr(state.kind.kind),
            expected="a store that they share, such as Redis (kind = 'redis'), or one worker in one replica",
            suggestion="to accept up to that many times every limit: [state] approximate = true",
        )
    if records is not None and not records.kind.durable and not getattr(records.config, "approximate", False):
        yield _problem(
            sketch.settings,
            ("records", "kind"),
            f"{_counted(server)} would each keep their own rows in {records.kind.kind!r} records",
            found=repr(records.kind.kind),
            expected="a store that they share: kind = 'sqlite' on one machine, 'redis' for a fleet",
            suggestion="to accept that each answers from its own rows: [records] approximate = true",
        )


def _runner(settings: Settings) -> Iterator[ConfigProblem]:
    problem = missing(settings.server.runner)
    if problem is not None:
        yield replace(problem, where=str(settings.document.origin(("server", "runner")) or ""))


def _counted(server: ServerSettings) -> str:
    """Who counts, in words."""
    counts = ((server.workers, "workers"), (server.replicas, "replicas"))
    return " in each of ".join(f"{number} {word}" for number, word in counts if number > 1)


def _problem(
    settings: Settings, steps: tuple[str, str], message: str, *, found: str, expected: str, suggestion: str
) -> ConfigProblem:
    """A problem with one key, naming who set it, or the file in which it is missing."""
    words = {"found": found, "expected": expected, "suggestion": suggestion}
    problem = problem_at(settings.document, steps, message, whole=False, **words)
    return problem if problem.where or settings.path is None else replace(problem, where=str(settings.path))
