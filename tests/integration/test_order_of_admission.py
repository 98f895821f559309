"""S1-06: first who asks, then whether requests and tokens are left, in one step, and then the upstream."""

from __future__ import annotations

from typing import Any

import pytest

from sentinel_core.config import Secret, settings_from
from sentinel_core.context import Client
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.registry import Registry
from sentinel_core.testing import FakeProvider, chat_body
from sentinel_plugins.rate_limit.estimate import Estimator

KEY = "sk-of-some-tenant"
LIMITS = {"requests_per_minute": 2, "tokens_per_minute": 100}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The request ids whose tokens were counted."""
    ids: list[str] = []
    count = Estimator.of

    async def noted(self: Estimator, ctx: Any, *, tokens: bool, money: bool) -> Any:  # a Context, an Asked
        ids.append(ctx.id)
        return await count(self, ctx, tokens=tokens, money=money)

    monkeypatch.setattr(Estimator, "of", noted)
    return ids


def gateway(upstream: FakeProvider) -> Gateway:
    """One key with two requests and a hundred tokens; the order of the chain is the default one."""
    registry = Registry()
    registry.register(upstream.kind())
    auth = {"keys": {"k": {"secret": Secret(KEY, "TEST"), "limits": LIMITS}}}
    stages = {"rate_limit": {}, "auth": auth, "routing": {}}
    return Gateway(settings_from({"stages": stages, "providers": {"fake": {"models": ["fake"]}}}), registry=registry)


async def refusal(live: Gateway, key: str, max_tokens: int) -> Refusal | None:
    """Why a request was refused; None for one that was answered."""
    try:
        await live.complete(chat_body(max_tokens=max_tokens), client=Client("1.2.3.4", {"x-api-key": key}))
    except Refusal as error:
        return error
    return None


def unit(refused: Refusal | None) -> object:
    """What was used up."""
    assert refused is not None
    assert refused.code == "rate_limit_exceeded"
    assert refused.details is not None
    return refused.details["unit"]


async def test_s1_06_each_step_is_asked_only_of_who_passed_the_one_before(counted: list[str]) -> None:
    upstream = FakeProvider()
    async with gateway(upstream) as live:
        assert [row.name for row in live.chain.rows()] == ["auth", "rate_limit", "routing"]
        stranger = await refusal(live, "sk-of-nobody", 999)
        assert stranger is not None
        assert (stranger.code, counted, upstream.calls) == ("invalid_api_key", [], [])

        assert unit(await refusal(live, KEY, 999)) == "tokens"
        assert (len(counted), upstream.calls) == (1, [])  # and none of the two requests is used

        assert await refusal(live, KEY, 10) is None
        assert await refusal(live, KEY, 10) is None
        assert len(upstream.calls) == 2

        assert unit(await refusal(live, KEY, 10)) == "requests"
        assert len(upstream.calls) == 2
