"""A request's context: headers until the commit."""

from __future__ import annotations

from typing import Any

import pytest

from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT

REQUEST = OPENAI_CHAT.decode_request({"messages": [{"role": "user", "content": "x"}]})


def test_headers_are_writable_until_the_commit() -> None:
    ctx = Context(REQUEST)
    ctx.headers["X-One"] = "1"
    ctx.headers.committed = True
    ctx.headers["X-Two"] = "2"
    assert ctx.headers == {"x-one": "1"}


@pytest.mark.parametrize("value", [5, None, b"5", ["5"]], ids=repr)
def test_a_header_whose_value_is_no_string_is_refused_where_it_is_set(value: Any) -> None:  # what a stage may say
    ctx = Context(REQUEST)
    with pytest.raises(TypeError):
        ctx.headers["x-left"] = value
    with pytest.raises(TypeError):
        ctx.headers.put({"x-one": "1", "x-left": value})
    assert ctx.headers == {}
