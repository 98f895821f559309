"""A compatible host behind a whole gateway: what a client is told of what the host was not."""

from __future__ import annotations

import pytest

from sentinel_core.config import settings_from
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.messages import Answer
from tests.upstream import Upstream

BODY = {"messages": [{"role": "user", "content": "hi"}], "logprobs": True, "temperature": 0}


async def test_what_the_host_refuses_is_named_in_a_header(upstream: Upstream) -> None:
    gateway = Gateway(settings_from({"providers": {"groq": {"base_url": upstream.base_url}}}))
    async with gateway:
        ctx = gateway.context(OPENAI_CHAT.decode_request(BODY))
        async with gateway.open(ctx) as reply:
            assert isinstance(reply, Answer)
    assert ctx.headers["x-sentinel-dropped-params"] == "logprobs"
    sent = upstream.requests[0].json
    assert (sent["model"], sent["temperature"]) == ("openai/gpt-oss-120b", 1e-8), "no model was named: the default"


async def test_under_refuse_the_client_is_told_before_anything_is_sent(upstream: Upstream) -> None:
    table = {"base_url": upstream.base_url, "on_unsupported": "refuse"}
    async with Gateway(settings_from({"providers": {"groq": table}})) as gateway:
        with pytest.raises(Refusal, match="logprobs"):
            await gateway.complete({**BODY, "model": "any"})
    assert upstream.requests == []
