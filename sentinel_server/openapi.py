"""The OpenAPI 3.1 document, generated from the declared endpoints.

Source: https://spec.openapis.org/oas/v3.1.0. Types are described by msgspec, so the document cannot drift from what is
decoded and encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from sentinel_core.endpoints import PARAMETER, Endpoint, Policy
from sentinel_core.json_types import JsonObject
from sentinel_server.distribution import package_version

_COMPONENT = "#/components/schemas/{name}"


class ErrorObject(msgspec.Struct, frozen=True):
    """OpenAI's error object; all four members are always there."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every error, but for routes whose clients read errors otherwise."""

    error: ErrorObject


class Operation(NamedTuple):
    """What the document says of a route that is no `Endpoint`. Types are those that msgspec can describe; `errors` is
    the body of its errors, and `streams` whether it answers with an event stream where one is asked for."""

    method: str
    path: str
    request: Any  # a type that msgspec can describe
    response: Any  # a type that msgspec can describe
    summary: str
    tags: tuple[str, ...] = ()
    policy: Policy = "caller"
    errors: Any = ErrorBody  # a type that msgspec can describe
    streams: bool = False


def document(endpoints: Iterable[Endpoint | Operation]) -> JsonObject:
    """The document of all endpoints that can be called: those for administrators are left out."""
    routes = [one for one in endpoints if one.policy in ("public", "caller")]
    types = [kind for one in routes for kind in (one.request, one.response, _errors(one)) if kind is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=_COMPONENT)
    known = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, JsonObject] = {}
    for one in routes:
        operations = paths.setdefault(PARAMETER.sub(r"{\1}", one.path), {})
        operations[one.method.lower()] = _operation(one, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sentinel",
            "version": package_version(),
            "description": "An LLM gateway: OpenAI's API in front of a chain of guards.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(endpoint: Endpoint | Operation, known: dict[int, JsonObject]) -> JsonObject:
    operation: JsonObject = {
        "summary": endpoint.summary,
        "operationId": _operation_id(endpoint),
        "responses": {
            "200": _content("Success", known[id(endpoint.response)] if endpoint.response is not None else {}),
            "default": _content("Any error", known[id(_errors(endpoint))]),
        },
    }
    if isinstance(endpoint, Operation) and endpoint.streams:
        operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    if endpoint.tags:
        operation["tags"] = list(endpoint.tags)
    if parameters := _parameters(endpoint):
        operation["parameters"] = parameters
    if endpoint.request is not None:
        operation["requestBody"] = {"required": True, **_content(None, known[id(endpoint.request)])}
    return operation


def _content(description: str | None, schema: JsonObject) -> JsonObject:
    content: JsonObject = {"content": {"application/json": {"schema": schema}}}
    return content if description is None else {"description": description, **content}


def _errors(endpoint: Endpoint | Operation) -> Any:  # a type that msgspec can describe
    return endpoint.errors if isinstance(endpoint, Operation) else ErrorBody


def _parameters(endpoint: Endpoint | Operation) -> list[JsonObject]:
    path = [match[0] for match in PARAMETER.findall(endpoint.path)]
    query = endpoint.query if isinstance(endpoint, Endpoint) else ()
    places = [*((name, "path") for name in path), *((name, "query") for name in query)]
    return [
        {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}} for name, place in places
    ]


def _operation_id(endpoint: Endpoint | Operation) -> str:
    words = re.findall(r"[a-zA-Z0-9_]+", endpoint.path.replace(":path", ""))
    return "_".join([endpoint.method.lower(), *words])
