"""What stands in a chunk beside a text whose end a guard holds reaches the client once, and guarded."""

from __future__ import annotations

import json

import pytest

from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from tests.plugins.guarding.test_streams import APIS, event, running
from tests.upstream import DONE, chunk

CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "get_weather", "arguments": '{"a":"x"}'}}
CITED = [{"type": "url_citation", "url_citation": {"url": "https://acme.org/a", "title": "by bob@acme.com"}}]
GUARDS = pytest.mark.parametrize(
    "tables", [{"pii": {}}, {"pii": {}, "secrets": {}}, {"secrets": {}, "pii": {}}], ids=str
)


def said(delta: JsonObject, finish: str | None = None, index: int = 0, **fields: JsonValue) -> bytes:
    return event(chunk([{"index": index, "delta": delta, **fields, "finish_reason": finish}]), True)


def read(tables: dict[str, TomlTable], *wire: bytes, api: str = "chat") -> list[JsonObject]:
    """The choices that a client reads, one by one."""
    with running(**tables) as send:
        out = send(APIS[api], [b"".join(wire) + DONE]).decode()
    bodies = [json.loads(line[6:]) for line in out.splitlines() if line.startswith("data: {")]
    return [choice for body in bodies for choice in body["choices"]]


def called(choices: list[JsonObject], index: int = 0) -> tuple[str, str]:
    """Name and arguments of a choice's call, as clients put them together."""
    calls = [call for one in choices if one["index"] == index for call in one["delta"].get("tool_calls") or ()]
    functions = [call["function"] for call in calls]
    return (
        "".join(function.get("name") or "" for function in functions),
        "".join(function.get("arguments") or "" for function in functions),
    )


@GUARDS
@pytest.mark.parametrize("text", ["Let me look. ", "Let me look", "write to bob@acme.com"])
def test_a_call_in_the_chunk_that_ends_its_choice_keeps_its_name(tables: dict[str, TomlTable], text: str) -> None:
    choices = read(tables, said({"content": text}), said({"tool_calls": [CALL]}, "tool_calls"))
    assert called(choices) == ("get_weather", '{"a":"x"}')
    content = "".join(choice["delta"].get("content") or "" for choice in choices)
    assert content == text.replace("bob@acme.com", "[EMAIL_ADDRESS]")
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["tool_calls"]


@GUARDS
@pytest.mark.parametrize("finish", [None, "tool_calls"])
def test_a_call_behind_an_end_keeps_its_name(tables: dict[str, TomlTable], finish: str | None) -> None:
    """Of another choice that ended before, and of its own: some servers end a choice with every chunk."""
    for index in (0, 1):
        ended = said({"content": "Let me look"}, "stop", index)
        choices = read(tables, ended, said({"tool_calls": [CALL]}, finish), *([said({}, "stop")] if index else []))
        assert called(choices) == ("get_weather", '{"a":"x"}')


@GUARDS
def test_what_stands_beside_an_end_reaches_the_client_once_and_guarded(tables: dict[str, TomlTable]) -> None:
    wire = [
        said({"content": "Let me look"}),
        said({"content": " there", "annotations": CITED}, "stop", note="of bob@acme.com"),
    ]
    choices = read(tables, *wire)
    cited = [choice["delta"]["annotations"] for choice in choices if "annotations" in choice["delta"]]
    assert cited == [json.loads(json.dumps(CITED).replace("bob@acme.com", "[EMAIL_ADDRESS]"))]
    assert [choice["note"] for choice in choices if "note" in choice] == ["of [EMAIL_ADDRESS]"]
    assert not [choice for choice in choices if "" in choice or "" in choice["delta"]]


@GUARDS
def test_a_completions_fields_reach_the_client_once(tables: dict[str, TomlTable]) -> None:
    last = {"index": 0, "text": "acme", "logprobs": None, "finish_reason": "stop", "note": "hello"}
    wire = [event({**chunk([{**one}]), "object": "text_completion"}, True) for one in (
        {"index": 0, "text": "write to bob@", "logprobs": None, "finish_reason": None}, last
    )]  # fmt: skip
    choices = read(tables, *wire, api="completions")
    assert "".join(choice["text"] for choice in choices) == "write to bob@acme"
    assert [choice["note"] for choice in choices if "note" in choice] == ["hello"]
    assert not [choice for choice in choices if "" in choice]


@GUARDS
def test_a_value_in_the_name_of_a_call_leaves_in_no_half(tables: dict[str, TomlTable]) -> None:
    call = {**CALL, "function": {"name": "bob@acme.com", "arguments": "{}"}}
    choices = read(tables, said({"content": "Let me look"}), said({"tool_calls": [call]}, "tool_calls"))
    assert called(choices) == ("[EMAIL_ADDRESS]", "{}")
    assert "bob" not in json.dumps(choices)
