"""The routes of all plugins, checked: what cannot be served, or not to whom it is meant for, is told at start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias, get_args

import msgspec

from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.endpoints import METHODS, PARAMETER, Endpoint, Policy, Socket, is_own
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.registry.complaint import complaint, taken

Route: TypeAlias = Endpoint | Socket


def routes(contributed: Iterable[tuple[Route, str]]) -> tuple[Route, ...]:
    """These routes, their methods in upper case. Raises `ConfigError` for every one that is the server's own, is
    claimed twice, or could not be served."""
    found: dict[tuple[str, str], tuple[Route, str]] = {}
    problems: list[ConfigProblem] = []
    for declared, plugin in contributed:
        broken = list(_problems(declared, plugin))
        problems += broken
        if broken:
            continue
        route = _upper(declared)
        method = route.method if isinstance(route, Endpoint) else "WEBSOCKET"
        shown = f"route {method} {route.path}"
        place = (method, PARAMETER.sub(r"{\2}", route.path))
        if is_own(route):
            message = f"the {shown} is the gateway's own: it would never be asked for"
            problems.append(ConfigProblem(message, where=f"plugin {plugin}", expected="another path"))
        elif place in found:
            problems.append(taken(shown, found[place][1], plugin))
        else:
            found[place] = (route, plugin)
    problems += _undescribed(found.values())
    if problems:
        raise ConfigError(problems)
    return tuple(route for route, _ in found.values())


def _problems(route: Route, plugin: str) -> Iterator[ConfigProblem]:
    where = f"of the route {route.path!r}"
    if isinstance(route, Endpoint) and not (isinstance(route.method, str) and route.method.upper() in METHODS):
        expected = f"one of {', '.join(sorted(METHODS))}"
        yield complaint(plugin, f"the method {where} is none that is served", route.method, expected=expected)
    if route.policy not in get_args(Policy):
        expected, hint = ", ".join(get_args(Policy)), did_you_mean(str(route.policy).lower(), get_args(Policy))
        message = f"the policy {where} is none"
        yield complaint(plugin, message, route.policy, expected=f"one of {expected}", suggestion=hint)
    if not callable(route.handler):
        yield complaint(plugin, f"the handler {where} is none", route.handler, expected="a coroutine function")
    if (lacks := _misshapen(route.path)) is not None:
        yield complaint(plugin, f"the path {where} cannot be served", route.path, expected=lacks)


def _misshapen(path: object) -> str | None:
    """What a path must have that this one has not; None where it has everything."""
    if not isinstance(path, str) or not path.startswith("/"):
        return "a text that begins with /"
    if {*PARAMETER.sub("", path)} & {*"{}"}:
        return "{name} for one segment, {name:path} for the rest"
    names = [match[0] for match in PARAMETER.findall(path)]
    return "each name once" if len(set(names)) < len(names) else None


def _undescribed(found: Iterable[tuple[Route, str]]) -> Iterator[ConfigProblem]:
    """Types that the OpenAPI document shows and msgspec cannot describe. It shows no routes of administrators."""
    shown = [(route, plugin) for route, plugin in found if isinstance(route, Endpoint) and route.policy != "admin"]
    kinds = tuple(kind for route, _ in shown for kind in (route.request, route.response) if kind is not None)
    if _describable(_described, kinds):
        return
    for route, plugin in shown:
        for attribute, kind in (("request", route.request), ("response", route.response)):
            if not _describable(msgspec.json.schema, kind):
                message = f"the {attribute} of the route {route.path!r} is nothing that msgspec can describe"
                yield complaint(plugin, message, kind, expected="a type of JSON values, such as a Struct")


def _describable(describe: Callable[[Any], object], kind: Any) -> bool:  # what an author takes for a type
    try:
        describe(kind)
    except (TypeError, NameError, AttributeError):
        return False
    return True


@lru_cache(maxsize=1)
def _described(kinds: tuple[Any, ...]) -> None:  # as above
    """All of them, which takes milliseconds: once, whatever is reloaded."""
    msgspec.json.schema_components(kinds)


def _upper(route: Route) -> Route:
    if isinstance(route, Socket) or route.method.isupper():
        return route
    return replace(route, method=route.method.upper())
