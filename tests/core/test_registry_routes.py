"""Routes of plugins: what could not be served, or not to whom it is meant for, is refused with words that say why."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sentinel_core.endpoints import Endpoint, Policy, Socket
from sentinel_core.registry import Registry
from tests.core.plugin_objects import NO_GATEWAY, answer, listen, refused, route_plugin

NO_HANDLER: Any = "answer"  # no function


class Opaque:
    """Nothing that JSON has."""


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (Endpoint("GET", "/a", answer, cast("Policy", "Admin")), "the policy of the route '/a' is none; found 'Admin'"),
        (Socket("/a", listen, cast("Policy", "callers")), "did you mean 'caller'?"),
        (Endpoint("REPORT", "/a", answer), "the method of the route '/a' is none that is served; found 'REPORT'"),
        (Endpoint("GET", "a", answer), "the path of the route 'a' cannot be served; found 'a'; expected a text that "),
        (Endpoint("GET", "/{a:uuidd}", answer), "expected {name} for one segment, {name:path} for the rest"),
        (Endpoint("GET", "/{a", answer), "expected {name} for one segment, {name:path} for the rest"),
        (Endpoint("GET", "/{a}/{a:path}", answer), "expected each name once"),
        (Endpoint("GET", "/a", NO_HANDLER), "the handler of the route '/a' is none; found 'answer'"),
        (
            Endpoint("GET", "/a", answer, "caller", Opaque),
            "the request of the route '/a' is nothing that msgspec can de",
        ),
        (
            Endpoint("GET", "/a", answer, "public", None, "Total"),
            "the response of the route '/a' is nothing that msgspec ",
        ),
    ],
)
def test_a_route_that_could_not_be_served_is_refused(route: Endpoint | Socket, message: str) -> None:
    registry = Registry()
    registry.register(route_plugin(route))
    text = refused(lambda: registry.endpoints(NO_GATEWAY))
    assert text.startswith("plugin SimpleNamespace at ")
    assert message in text


def test_what_the_document_does_not_show_need_not_be_described() -> None:
    registry, route = Registry(), Endpoint("GET", "/a", answer, "admin", Opaque)
    registry.register(route_plugin(route))
    assert registry.endpoints(NO_GATEWAY) == (route,)


def test_every_such_route_is_told_at_once() -> None:
    registry = Registry()
    registry.register(route_plugin(Endpoint("GET", "a", answer), Endpoint("GET", "/docs", answer)))
    registry.register(route_plugin(Endpoint("GET", "/b", answer, cast("Policy", "nobody"))))
    assert refused(lambda: registry.endpoints(NO_GATEWAY)).count("plugin SimpleNamespace at ") == 3


@pytest.mark.parametrize(
    "other", [Endpoint("get", "/a/{x}", answer), Endpoint("GET", "/a/{y}", answer)], ids=["method", "parameter"]
)
def test_a_route_in_another_spelling_is_the_same(other: Endpoint) -> None:
    registry = Registry()
    registry.register(route_plugin(Endpoint("GET", "/a/{x}", answer)))
    registry.register(route_plugin(other))
    assert "two plugins bring the route GET /a/" in refused(lambda: registry.endpoints(NO_GATEWAY))


def test_methods_are_in_upper_case() -> None:
    registry = Registry()
    registry.register(route_plugin(Endpoint("get", "/a", answer)))
    assert registry.endpoints(NO_GATEWAY) == (Endpoint("GET", "/a", answer),)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/messages"),
        ("GET", "/v1/models/{name}"),
        ("GET", "/v1/models/mine"),
        ("HEAD", "/health"),
        ("GET", "/docs"),
    ],
)
def test_a_route_of_the_servers_own_is_refused(method: str, path: str) -> None:
    registry = Registry()
    registry.register(route_plugin(Endpoint(method, path, answer)))
    text = refused(lambda: registry.endpoints(NO_GATEWAY))
    assert f"the route {method} {path} is the gateway's own" in text


def test_another_method_of_a_path_of_the_servers_own_is_free() -> None:
    registry, route = Registry(), Endpoint("DELETE", "/v1/models/{name}", answer)
    registry.register(route_plugin(route))
    assert registry.endpoints(NO_GATEWAY) == (route,)
