"""Items of a translated answer on their way to an API that has Responses itself."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_responses.extensions import without_extensions
from sentinel_core.json_types import JsonObject, JsonValue
from tests.core.dialects.responses_client import through
from tests.upstream.anthropic import message

HI = {"role": "user", "content": "hi"}
SIGNATURE = {"google": {"thought_signature": "SIG"}}
CALL = {"type": "function_call", "call_id": "c1", "name": "w", "arguments": "{}"}
THOUGHT: JsonObject = {
    "id": "rs_0a1b2c",
    "type": "reasoning",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "hm"}],
}
OURS = {**THOUGHT, "id": "rs_msg_01_0"}
SEALED = {**THOUGHT, "content": None, "encrypted_content": "gAAA"}
KEPT = {**THOUGHT, "content": []}


def plain(*items: JsonValue, plain_thoughts: bool = False, **fields: JsonValue) -> tuple[list[JsonValue], list[str]]:
    body, names = without_extensions({"model": "m", "input": [HI, *items], **fields}, plain_thoughts=plain_thoughts)
    assert body.keys() == {"model", "input"}
    return body["input"][1:], names


@pytest.mark.parametrize("plain_thoughts", [True, False])
def test_what_a_claude_thought_and_said_goes_on_at_openai_as_what_it_said(plain_thoughts: bool) -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "w", "input": {}}
    output = through(message(thinking, "calling", use), ANTHROPIC_MESSAGES)["output"]
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call"]
    assert plain(*output, plain_thoughts=plain_thoughts) == (output[1:], [])


@pytest.mark.parametrize(
    ("item", "openai", "host"),
    [
        (THOUGHT, [], [THOUGHT]),
        (OURS, [], []),
        ({**KEPT, "extra_content": SIGNATURE}, [], []),
        (SEALED, [SEALED], [SEALED]),
        (KEPT, [KEPT], [KEPT]),
        ({**SEALED, "extra_content": SIGNATURE}, [SEALED], [SEALED]),
        ({**CALL, "extra_content": SIGNATURE}, [CALL], [CALL]),
        (CALL, [CALL], [CALL]),
        ("x", ["x"], ["x"]),
    ],
)
def test_what_becomes_of_an_item(item: JsonValue, openai: list[JsonValue], host: list[JsonValue]) -> None:
    assert plain(item) == (openai, [])
    assert plain(item, plain_thoughts=True) == (host, [])


def test_parameters_of_other_vendors_are_named() -> None:
    assert plain(CALL, extra_content={"cohere": {"documents": []}}) == ([CALL], ["documents"])


@pytest.mark.parametrize("content", ["hi", None, [HI, CALL, SEALED]], ids=["text", "null", "items"])
def test_a_body_without_any_is_the_same(content: JsonValue) -> None:
    body = {"model": "m", "input": content}
    assert without_extensions(body, plain_thoughts=False)[0] is body
