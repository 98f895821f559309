"""A served gateway with an upstream of Anthropic's kind and one of OpenAI's behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sentinel_core.config import Secret, settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, JsonValue, TomlValue
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage
from sentinel_server.app import asgi
from tests.server.serving import Served, serving
from tests.server.wire import request
from tests.upstream import Upstream

KEY = "sk-ant-upstream-canary"
MESSAGES = "/v1/messages"
CLAUDE = "claude-of-tests"
"""No model of the vendor's: its client warns of those that it knows to be leaving."""
GPT = "gpt"


@asynccontextmanager
async def messages_server(
    upstream: Upstream,
    *stages: type[Stage],
    runner: str = "hypercorn",
    **provider: TomlValue,
) -> AsyncIterator[Served]:  # fields of the anthropic provider
    """A gateway whose model `claude-of-tests` is served as Anthropic's, and `gpt` as OpenAI's, by one upstream."""
    registry = Registry()
    for stage in stages:
        registry.register(stage)
    common = {"base_url": upstream.base_url, "api_key": Secret(KEY, "TEST_KEY")}
    policy = {"on_unsupported": provider["on_unsupported"]} if "on_unsupported" in provider else {}
    settings = settings_from(
        {
            "providers": {
                "claude": {"kind": "anthropic", **common, "models": [CLAUDE], **provider},
                "gpt": {"kind": "openai", **common, "models": [GPT], **policy},
            },
            "models": [
                {"name": CLAUDE, "targets": [{"provider": "claude"}]},
                {"name": GPT, "targets": [{"provider": "gpt"}]},
            ],
            "stages": {stage.name: {} for stage in stages},
            "chain": {"stages": [stage.name for stage in stages]},
        }
    )
    gateway = Gateway(settings, registry=registry)
    async with gateway, serving(asgi(gateway), runner) as served:
        yield served


def messages_body(text: str = "hi", **fields: JsonValue) -> JsonObject:
    """A Messages request's body."""
    return {"model": CLAUDE, "max_tokens": 100, "messages": [{"role": "user", "content": text}], **fields}


def messages_request(
    text: str = "hi", *, headers: tuple[str, ...] = (), target: str = MESSAGES, **fields: JsonValue
) -> bytes:
    """A Messages request as bytes. `fields` replace or add top-level members of the body."""
    body = json.dumps(messages_body(text, **fields)).encode()
    return request(target, method="POST", headers=headers, body=body)
