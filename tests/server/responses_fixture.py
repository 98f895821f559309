"""A served gateway whose models have the Responses API themselves, or chats only, or are nobody's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import openai

from sentinel_core.config import Secret, settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue, TomlValue
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage
from sentinel_server.app import asgi
from tests.server.serving import Served, serving
from tests.upstream import Reply, Stream, Upstream, chat_stream, completion, delta, sse
from tests.upstream.anthropic import message, message_stream, text_block, tool_block

KEY = "sk-upstream-canary"
CLAUDE = "claude-upstream"
GPT = "gpt-upstream"
NATIVE = "native-upstream"
GEMINI = "gemini-upstream"
BOTH = "both"
"""Anthropic's first, then one that has the API itself."""

TOOL: JsonValue = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}
OPENAI_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}


@asynccontextmanager
async def responses_server(
    upstream: Upstream,
    *stages: type[Stage],
    runner: str,
    table: Mapping[str, TomlValue] | None = None,
) -> AsyncIterator[Served]:  # TOML values, for every provider
    """One upstream stands for all providers; `routing` stands behind the given stages."""
    registry = Registry()
    for stage in stages:
        registry.register(stage)
    common = {"base_url": upstream.base_url, "api_key": Secret(KEY, "TEST_KEY"), **(table or {})}
    both = [{"provider": "claude", "model": CLAUDE}, {"provider": "native", "model": NATIVE}]
    settings = settings_from(
        {
            "providers": {
                "claude": {"kind": "anthropic", **common, "models": [CLAUDE]},
                "gpt": {"kind": "openai", **common, "models": [GPT], "responses": False},
                "native": {"kind": "openai", **common, "models": [NATIVE]},
                "gemini": {**common, "base_url": f"{upstream.root}/v1beta", "models": [GEMINI]},
                "echo": {},
            },
            "models": [{"name": BOTH, "targets": both}],
            "stages": {**{stage.name: {} for stage in stages}, "routing": {}},
            "chain": {"stages": [*(stage.name for stage in stages), "routing"]},
        }
    )
    gateway = Gateway(settings, registry=registry)
    async with gateway, serving(asgi(gateway), runner) as served:
        yield served


def sdk(served: Served) -> openai.AsyncOpenAI:
    """The official client, which does not retry."""
    return openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="sk-own", max_retries=0)


def say(upstream: Upstream, text: str = "one") -> None:
    """Both upstreams of chats call the same tool after the same words."""
    call = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}}
    upstream.script(CLAUDE, Reply(message(text, call)))
    called = {"role": "assistant", "content": text, "tool_calls": [OPENAI_CALL]}
    upstream.script(GPT, Reply(completion(choices=[{"index": 0, "message": called, "finish_reason": "tool_calls"}])))


def stream(upstream: Upstream, *texts: str) -> None:
    """The same as streams."""
    blocks = [text_block(0, *texts), tool_block(1, "call_1", "weather", '{"ci', 'ty":"Rome"}')]
    upstream.script(CLAUDE, Stream(message_stream(blocks=blocks, reason="tool_use")))
    begun = {**OPENAI_CALL, "index": 0, "function": {"name": "weather", "arguments": ""}}
    parts = [
        *chat_stream(*texts, finish=None, done=False),
        sse(delta(tool_calls=[begun])),
        *(sse(delta(tool_calls=[{"index": 0, "function": {"arguments": text}}])) for text in ('{"ci', 'ty":"Rome"}')),
        *chat_stream(usage=True, finish="tool_calls")[1:],
    ]
    upstream.script(GPT, Stream(parts))
