"""Free text that a tool is called with: no JSON, whatever it begins with."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.base import Dialect
from sentinel_core.events import ToolInputDelta
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import TextSlot
from sentinel_plugins.pii.restoration import Restoring
from tests.core.dialects.cuts import bytewise
from tests.core.dialects.cuts import cut as bytes_cut
from tests.plugins.guarding.guards import PII, SECRETS
from tests.plugins.guarding.test_streams import APIS, PLACES, TEXT, events_of, lanes_of, pieces, redacted, running
from tests.plugins.pii.test_reversible_streams import TABLE, VALUES, asking
from tests.properties import promised
from tests.upstream import DONE, delta
from tests.upstream.anthropic import named
from tests.upstream.payloads import completion, response

INPUTS = (
    "[ -f /tmp/x ] && mail -s hi {}",
    '"""Notify."""\nsend(\'{}\')\n',
    "{{ mail {}; }}",
    '[ -n "$X" ] && echo ' + "word " * 205 + "{}: ok, {}",
    "echo {}",
)
CALLS = ("chat", "custom_tool_call", "code_interpreter_call")


def item(kind: str, text: str) -> JsonObject:
    if kind == "chat":
        return {"id": "c", "type": "custom", "custom": {"name": "sh", "input": text}}
    if kind == "custom_tool_call":
        return {"id": "i", "type": kind, "status": "completed", "call_id": "c", "name": "sh", "input": text}
    return {"id": "i", "type": kind, "status": "completed", "container_id": "x", "code": text}


def api_of(kind: str) -> str:
    return "chat" if kind == "chat" else "responses"


def whole(kind: str, text: str) -> JsonObject:
    if kind == "chat":
        message = {"role": "assistant", "content": None, "tool_calls": [item(kind, text)]}
        return completion("", choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])
    return {**response(""), "output": [item(kind, text)]}


def wire(kind: str, said: Sequence[str]) -> bytes:
    if kind == "chat":
        head = {"index": 0, **item(kind, "")}
        return _chat([head, *({"index": 0, "custom": {"input": piece}} for piece in said)])
    member, family = ("input", "custom_tool_call_input") if "custom" in kind else ("code", "code_interpreter_call_code")
    text = "".join(said)
    at = {"item_id": "i", "output_index": 0}
    frames: list[JsonObject] = [
        {"type": "response.output_item.added", "output_index": 0, "item": item(kind, "")},
        *({"type": f"response.{family}.delta", **at, "delta": piece} for piece in said),
        {"type": f"response.{family}.done", **at, member: text},
        {"type": "response.output_item.done", "output_index": 0, "item": item(kind, text)},
        {"type": "response.completed", "response": whole(kind, text)},
    ]
    return b"".join(named(frame) for frame in frames)


def _chat(calls: Sequence[JsonObject]) -> bytes:
    chunks = [delta(tool_calls=[call]) for call in calls]
    return b"".join([*(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks), DONE])


def inputs(dialect: Dialect, stream: bytes) -> str:
    lanes = lanes_of(events_of(dialect, [stream]))
    return "".join(text for lane, text in lanes.items() if lane[1] == "tool_arguments")


def cut(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(0, len(text), 3)]


@pytest.mark.parametrize("kind", CALLS)
def test_commands_and_code_leave_as_they_are_but_for_the_values(kind: str) -> None:
    api = APIS[api_of(kind)]
    with running(pii=PII, secrets=SECRETS) as send:
        for text in INPUTS:
            sent = send(api, bytewise(wire(kind, cut(text.format("bob@acme.com", "bob@acme.com")))))
            assert inputs(api.dialect, sent) == text.format("[OWN_MAIL]", "[OWN_MAIL]")
            assert b"acme" not in sent


@pytest.mark.parametrize("kind", CALLS)
def test_p6_every_input_is_what_its_whole_text_becomes(kind: str) -> None:
    api = APIS[api_of(kind)]

    @promised(among=3)
    @given(begins=st.sampled_from(("[", "{", '"', "")), text=TEXT, texts=PLACES, places=PLACES)
    def check(begins: str, text: str, texts: list[int], places: list[int]) -> None:
        sent = send(api, bytes_cut(wire(kind, pieces(begins + text, texts)), places))
        assert inputs(api.dialect, sent) == redacted(begins + text)

    with running(pii=PII, secrets=SECRETS) as send:
        check()


@pytest.mark.parametrize("kind", CALLS)
def test_values_are_put_back_as_they_are(kind: str) -> None:
    api, vault = asking(api_of(kind))
    with running(pii=TABLE, secrets=SECRETS) as send:
        for text in INPUTS:
            for value in VALUES[:2]:
                said, meant = (text.format(one, one) for one in (vault.put(value), value))
                assert inputs(api.dialect, send(api, bytewise(wire(kind, cut(said))))) == meant
                request = api.dialect.decode_request({"model": "fake", **api.body})
                answer = api.dialect.decode_answer(json.dumps(whole(kind, said)).encode())
                assert Restoring(vault, request).answer(answer).body == {**answer.body, **whole(kind, meant)}


@pytest.mark.parametrize("kind", CALLS)
def test_guards_are_told_the_kind_of_the_text(kind: str) -> None:
    """In requests, whole answers and streams alike."""
    dialect = APIS[api_of(kind)].dialect
    answer = dialect.decode_answer(json.dumps(whole(kind, "[ls]")).encode())
    said = [item(kind, "[ls]")]
    history = {"messages": [{"role": "assistant", "tool_calls": said}]} if kind == "chat" else {"input": said}
    request = dialect.decode_request({"model": "fake", **history})
    for slots in (answer.texts(), request.texts()):
        assert [kind_of(slot) for slot in slots if slot.text == "[ls]"] == [("assistant", "tool_input")]
    events = [*dialect.decompose(answer), *events_of(dialect, [wire(kind, ["[l", "s]"])])]
    told = [event for event in events if isinstance(event, ToolInputDelta)]
    assert "".join(event.text for event in told) == "[ls][ls]"
    assert {event.kind for event in told} == {"tool_input"}


def kind_of(slot: TextSlot) -> tuple[str | None, str]:
    return slot.role, slot.kind
