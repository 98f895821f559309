"""H50: of what no guard here can read, no guard says that it allowed it; or it is refused, if its table says so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.unreadable import holds_unreadable
from tests.integration.guarded import CHAT, COMPLETIONS, COUNT_TOKENS, EMBEDDINGS, MESSAGES, RESPONSES, Serving, ask
from tests.integration.guarded_fields import INPUT, anthropic, chat, document, responses, said, user
from tests.json_values import json_values

PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
LINK = {"url": "https://x.test/a.png"}
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "image", "source": PNG}]}
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat image": (CHAT, said(user([{"type": "text", "text": "see"}, {"type": "image_url", "image_url": LINK}]))),
    "chat sound": (CHAT, said(user([{"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}]))),
    "chat file": (CHAT, said(user([{"type": "file", "file": {"file_id": "file-1"}}]))),
    "an earlier turn": (CHAT, said(user([{"type": "image_url", "image_url": LINK}]), user("and now?"))),
    "completions tokens": (COMPLETIONS, {"model": "fake", "prompt": [1, 2, 3]}),
    "completions lists of tokens": (COMPLETIONS, {"model": "fake", "prompt": [[1, 2], [3]]}),
    "embeddings tokens": (EMBEDDINGS, {"model": "fake", "input": [1, 2, 3]}),
    "responses image": (RESPONSES, responses([user([{"type": "input_image", "image_url": LINK["url"]}])])),
    "responses screenshot": (
        RESPONSES,
        responses([{"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}}]),
    ),
    "messages image": (MESSAGES, anthropic(user([{"type": "image", "source": PNG}]))),
    "messages document": (MESSAGES, anthropic(user([{"type": "document", "source": PNG}]))),
    "messages tool result": (MESSAGES, anthropic(user([RESULT]))),
    "count_tokens image": (COUNT_TOKENS, said(user([{"type": "image", "source": PNG}]))),
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
NAMES = st.sampled_from(["type", "content", "output", "source", "text", "image", "document"])
TABLES: dict[str, dict[str, Any]] = {"pii": {}, "secrets": {}, "injection": {}}  # TOML values


def test_what_is_text_only_is_read_whole() -> None:
    for bodies in INPUT.values():
        for name, body in bodies.items():
            assert holds_unreadable(body) is ("image" in name or name == "file name"), name
    assert not holds_unreadable(anthropic(user([document("plain")])))


@given(json_values(SCALARS, NAMES, levels=4))
def test_any_body_has_an_answer(body: Any) -> None:
    assert holds_unreadable({"messages": body, "input": body}) in (True, False)


@pytest.mark.parametrize("name", PARTS)
async def test_h50_no_guard_says_that_it_allowed_what_it_cannot_read(name: str) -> None:
    path, body = PARTS[name]
    asked = await ask(path, body, Serving(("fine",)), **TABLES, input_limits={})
    assert len(asked.provider.calls) == 1
    found = {guard: result for (guard, direction), result in asked.verdicts.items() if direction == "request"}
    assert found == {"pii": "partial", "secrets": "partial", "injection": "partial", "input_limits": "allowed"}


@pytest.mark.parametrize("guard", TABLES)
@pytest.mark.parametrize("name", PARTS)
async def test_h50_it_is_refused_where_a_guards_table_says_so(name: str, guard: str) -> None:
    path, body = PARTS[name]
    asked = await ask(path, body, Serving(("fine",)), **{guard: {"unscannable": "block"}})
    assert (asked.response.status_code, asked.provider.calls) == (400, [])
    assert asked.verdicts[guard, "request"] == "blocked"


async def test_h50_what_is_replaced_beside_it_is_masked_and_text_alone_is_allowed() -> None:
    body = said(user([{"type": "text", "text": "ann@acme.com"}, {"type": "image_url", "image_url": LINK}]))
    assert (await ask(CHAT, body, Serving(("fine",)), pii={})).verdicts["pii", "request"] == "masked"
    assert (await ask(CHAT, chat(), Serving(("fine",)), pii={})).verdicts["pii", "request"] == "allowed"


async def test_h50_the_reply_to_an_image_was_read_and_who_watches_saw_a_part() -> None:
    path, body = PARTS["chat image"]
    asked = await ask(path, body, Serving(("fine",)), pii={}, secrets={"mode": "monitor", "unscannable": "block"})
    assert asked.verdicts == {
        ("pii", "request"): "partial",
        ("pii", "response"): "allowed",
        ("secrets", "request"): "partial",
        ("secrets", "response"): "allowed",
    }
