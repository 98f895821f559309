"""What must not be served by accident, or cannot be: checked before anything listens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from sentinel_core.authenticator import says_who
from sentinel_core.chain import StagePlan
from sentinel_core.config import Settings
from sentinel_core.config.document import problem_at
from sentinel_core.errors import ConfigProblem
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.blueprint import Sketch, answered
from sentinel_core.stage import Stage
from sentinel_server.runners import missing

THIS_MACHINE = ("localhost", "*.localhost", "127.0.0.1", "[::1]")
"""Names that lead nowhere else, whatever a name server says (RFC 6761, section 6.3)."""


def problems(sketch: Sketch) -> Iterator[ConfigProblem]:
    """What is wrong with a configuration that would serve strangers, or that nothing here can serve.

    Beyond loopback some stage must authenticate, unless `[server] allow_anonymous` says that something in front does.
    The runner must be installed. A stage that could not be drawn has the benefit of the doubt: what is wrong with it is
    told anyway.
    """
    yield from _strangers(sketch)
    yield from _runner(sketch.settings)


def allowed_hosts(gateway: Gateway) -> tuple[str, ...]:
    """Host headers that this process serves.

    Where it listens on loopback and asks nobody for a key, a web page whose name leads to this machine would be of the
    same origin, and could spend the providers' keys: unless `[server]` names hosts, only this machine's own are served.
    """
    server = gateway.settings.server
    if server.allowed_hosts or not server.loopback or any(map(authenticates, gateway.chain.stages)):
        return server.allowed_hosts
    return (*THIS_MACHINE, f"[{server.host}]" if ":" in server.host else server.host)


def authenticates(plan: StagePlan) -> bool:
    """Whether a stage says who calls, and is configured to know somebody. `ConfigError` where it cannot say that."""
    return _says_who(plan.kind, plan)


def _says_who(kind: type[Stage], plan: StagePlan | None) -> bool:
    return says_who(kind) and (plan is None or answered(plan, "authenticates", plan.config) == [True])


def _strangers(sketch: Sketch) -> Iterator[ConfigProblem]:
    server = sketch.settings.server
    may_know_them = any(kind is None or _says_who(kind, plan) for kind, plan in sketch.stages)
    if server.loopback or server.allow_anonymous or may_know_them:
        return
    place = partial(problem_at, sketch.settings.document, ("server", "host"), found=repr(server.host))
    if reason := _unresolved(server.host):
        expected = "an address of this machine, and beyond loopback an authenticating stage"
        yield place(f"this name cannot be resolved: {reason}", expected=expected)
    else:
        yield place(
            "this address can be reached from other machines, and no stage authenticates callers",
            expected="an authenticating stage, or host = '127.0.0.1'",
            suggestion="where something in front authenticates, say so: [server] allow_anonymous = true",
        )


def _unresolved(host: str) -> str:
    """Why a name leads nowhere; empty where it leads somewhere."""
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_PASSIVE)
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeError:  # a name that no name server could be asked for
        return "no name of a host"
    return ""


def _runner(settings: Settings) -> Iterator[ConfigProblem]:
    problem = missing(settings.server.runner)
    if problem is not None:
        yield replace(problem, where=str(settings.document.origin(("server", "runner")) or ""))
