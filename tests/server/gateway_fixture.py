"""A real gateway with the scripted upstream behind it and a served application in front."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sentinel_core.config import Secret, settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue, TomlTable, TomlValue
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage
from sentinel_server.app import asgi
from tests.server.serving import RUNNERS, Served, serving
from tests.server.wire import request
from tests.upstream import Upstream

KEY = "sk-upstream-canary"
MODEL = "m"
CHAT = "/v1/chat/completions"


def tables(
    upstream: Upstream, *stages: type[Stage], models: tuple[str, ...] = (MODEL,), **server: TomlValue
) -> TomlTable:
    """A configuration: one provider, its models, these stages in this order."""
    provider: TomlTable = {
        "kind": "openai",
        "base_url": upstream.base_url,
        "api_key": Secret(KEY, "TEST_KEY"),
        "models": list(models),
    }
    return {
        "server": server,
        "providers": {"up": provider},
        "models": [{"name": model, "targets": [{"provider": "up"}]} for model in models],
        "stages": {stage.name: {} for stage in stages},
        "chain": {"stages": [stage.name for stage in stages]},
    }


def gateway_of(upstream: Upstream, *stages: type[Stage], plugin: object = None, **server: TomlValue) -> Gateway:
    """A gateway that is not open yet. `server` holds fields of `[server]`."""
    registry = Registry()
    for item in (*stages, *([plugin] if plugin is not None else [])):
        registry.register(item)
    return Gateway(settings_from(tables(upstream, *stages, **server)), registry=registry)


@asynccontextmanager
async def chat_server(
    upstream: Upstream, *stages: type[Stage], runner: str = RUNNERS[0], plugin: object = None, **server: TomlValue
) -> AsyncIterator[tuple[Served, Gateway]]:
    """An open gateway, served."""
    gateway = gateway_of(upstream, *stages, plugin=plugin, **server)
    async with gateway, serving(asgi(gateway), runner) as served:
        yield served, gateway


def chat(text: str = "hi", *, headers: tuple[str, ...] = (), target: str = CHAT, **fields: JsonValue) -> bytes:
    """A chat request as bytes. `fields` replace or add top-level members of the body."""
    return request(target, method="POST", headers=headers, body=encoded(chat_body(text, **fields)))


def chat_body(text: str = "hi", **fields: JsonValue) -> JsonObject:
    """A chat request's body."""
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **fields}


def encoded(body: JsonMapping) -> bytes:
    """Compact JSON."""
    return json.dumps(body, separators=(",", ":")).encode()
