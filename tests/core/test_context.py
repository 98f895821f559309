"""A request's context: typed facts, headers until the commit, times in chain order."""

from __future__ import annotations

import pytest

from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.keys import Key

REQUEST = OPENAI_CHAT.decode_request({"messages": [{"role": "user", "content": "x"}]})
TENANT: Key[str] = Key("tenant")


def test_a_fact_is_found_by_its_key_and_by_no_other_of_that_name() -> None:
    ctx = Context(REQUEST)
    ctx[TENANT] = "acme"
    assert (ctx[TENANT], TENANT in ctx, list(ctx)) == ("acme", True, [TENANT])
    assert ctx.get(Key[str]("tenant")) is None


def test_a_fact_that_no_stage_wrote_is_named() -> None:
    ctx = Context(REQUEST)
    with pytest.raises(KeyError, match="tenant"):
        _ = ctx[TENANT]
    assert ctx.get(TENANT, "none") == "none"


def test_headers_are_writable_until_the_commit() -> None:
    ctx = Context(REQUEST)
    ctx.headers["X-One"] = "1"
    ctx.headers.committed = True
    ctx.headers["X-Two"] = "2"
    assert ctx.headers == {"x-one": "1"}
