"""Two calls of one request over real sockets: each says what its own host takes, and neither changes the other."""

from __future__ import annotations

from copy import deepcopy

from sentinel_core.config import settings_from
from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.messages import Answer
from tests.upstream import Reply, Stall, Upstream, completion

BODY: JsonObject = {
    "model": "m",
    "messages": [{"role": "developer", "content": "be kind"}, {"role": "user", "content": "hi", "name": "me"}],
    "seed": 7,
    "max_completion_tokens": 9,
    "metadata": {"a": "b"},
}


async def test_two_calls_share_nothing_that_one_of_them_changes(upstream: Upstream) -> None:
    upstream.script("slow", Stall())
    async with Upstream() as spare:
        spare.script("quick", Reply(completion("well")))
        tables: TomlTable = {
            "providers": {
                "a": {"kind": "mistral", "base_url": upstream.base_url},
                "b": {"kind": "openai", "base_url": spare.base_url},
            },
            "models": [
                {"name": "m", "targets": [{"provider": "a", "model": "slow"}, {"provider": "b", "model": "quick"}]}
            ],
            "stages": {"routing": {}, "hedge": {"delay_s": 0.02}},
        }
        async with Gateway(settings_from(tables)) as gateway:
            ctx = gateway.context(OPENAI_CHAT.decode_request(deepcopy(BODY)))
            before = deepcopy(ctx.request.body)
            assert await said(gateway, ctx) == "well"
            await upstream.closed()
        (first,), (second,) = upstream.requests, spare.requests
        assert (first.json["model"], first.json["random_seed"], first.json["max_tokens"]) == ("slow", 7, 9)
        assert second.json == {**BODY, "model": "quick"}
        assert ctx.request.body == before
        assert [(row.target.provider, row.ending, row.taken) for row in ctx.attempts] == [
            ("a", "discarded", False),
            ("b", "completed", True),
        ]


async def said(gateway: Gateway, ctx: Context) -> str:
    async with gateway.open(ctx) as reply:
        assert isinstance(reply, Answer)
        text: str = reply.body["choices"][0]["message"]["content"]
        return text
