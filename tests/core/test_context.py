"""A request's context: headers until the commit."""

from __future__ import annotations

from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT

REQUEST = OPENAI_CHAT.decode_request({"messages": [{"role": "user", "content": "x"}]})


def test_headers_are_writable_until_the_commit() -> None:
    ctx = Context(REQUEST)
    ctx.headers["X-One"] = "1"
    ctx.headers.committed = True
    ctx.headers["X-Two"] = "2"
    assert ctx.headers == {"x-one": "1"}
