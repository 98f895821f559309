"""P8 for the official clients: over an upstream of any API they put the same object together from a stream as from an
answer, and it says all that was said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai

from sentinel_core.json_types import JsonValue
from sentinel_core.usage import Usage
from sentinel_server.app import asgi
from tests.core.dialects.pairs.told import expected, told_in_chat, told_in_messages, told_in_responses
from tests.plugins.providers.spoken import gateway_with, table_of
from tests.server.serving import Served, serving
from tests.upstream import Reply, Stream, Upstream
from tests.upstream.api import Call, Said
from tests.upstream.apis import Spoken

SAID = Said("ä 🙂", "hm…", (Call("call00001", "w", {"city": "Röm"}),), "tool_calls", Usage(30, 20, 50, 7, 9))
MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]  # the clients' own types are narrower than their wire


@asynccontextmanager
async def served(spoken: Spoken, upstream: Upstream) -> AsyncIterator[Served]:
    """A gateway whose model `m` first answers whole, then streamed."""
    whole, wire = Reply(spoken.api.answer(SAID)), spoken.api.stream(SAID).whole
    upstream.script(None, whole, Stream(wire, content_type=spoken.api.content_type))
    chats_only = {"responses": False} if spoken.api.name == "openai" else {}
    gateway = gateway_with({"up": table_of(spoken, upstream.root, **chats_only)}, {"m": ["up"]})
    async with gateway, serving(asgi(gateway)) as running:
        yield running


async def test_p8_openai_puts_the_same_completion_together(spoken: Spoken, upstream: Upstream) -> None:
    async with (
        served(spoken, upstream) as running,
        openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as client,
    ):
        whole = await client.chat.completions.create(model="m", messages=MESSAGES)
        usage: JsonValue = {"include_usage": True}
        async with client.chat.completions.stream(model="m", messages=MESSAGES, stream_options=usage) as events:
            streamed = await events.get_final_completion()
    assert told_in_chat(whole.model_dump()) == told_in_chat(streamed.model_dump()) == expected(spoken, SAID)


async def test_p8_openai_puts_the_same_response_together(spoken: Spoken, upstream: Upstream) -> None:
    async with (
        served(spoken, upstream) as running,
        openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as client,
    ):
        whole = await client.responses.create(model="m", input="hi")
        async with client.responses.stream(model="m", input="hi") as events:
            streamed = await events.get_final_response()
    made = told_in_responses(whole.model_dump())
    assert made == told_in_responses(streamed.model_dump()) == expected(spoken, SAID)


async def test_p8_anthropic_puts_the_same_message_together(spoken: Spoken, upstream: Upstream) -> None:
    async with (
        served(spoken, upstream) as running,
        anthropic.AsyncAnthropic(base_url=running.url, api_key="none", max_retries=0) as client,
    ):
        whole = await client.messages.create(model="m", max_tokens=9, messages=MESSAGES)
        async with client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as events:
            streamed = await events.get_final_message()
    assert told_in_messages(whole.model_dump()) == told_in_messages(streamed.model_dump()) == expected(spoken, SAID)
