"""Requests, answers and events are replaced and never changed."""

from __future__ import annotations

from copy import deepcopy

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.slots import TextSlot
from sentinel_core.events import Opaque
from sentinel_core.messages import Answer

BODY = {"model": "m", "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]}


def test_replacing_a_text_leaves_the_request_it_was_made_of() -> None:
    body = deepcopy(BODY)
    request = OPENAI_CHAT.decode_request(body)
    other = request.with_texts({("messages", 1, "content"): "c"})
    assert [slot.text for slot in other.texts()] == ["a", "c"]
    assert request.body == body == BODY
    assert request.with_texts({}) is request


def test_a_slot_says_who_wrote_it() -> None:
    slots = OPENAI_CHAT.decode_request(BODY).texts()
    assert [(slot.role, slot.kind) for slot in slots] == [("system", "content"), ("user", "content")]


def test_fields_are_replaced_and_added() -> None:
    request = OPENAI_CHAT.decode_request(BODY).with_fields(seed=1)
    assert request.body == {**BODY, "seed": 1}


def test_texts_of_an_assembled_answers_opaque_events_are_its_own() -> None:
    opaque = Opaque(slots=(TextSlot(("x",), "secret"),))
    body = {"choices": [], "$opaque": ["kept"]}
    answer = Answer(dialect=OPENAI_CHAT, body=body, raw=b"{}", opaque=(opaque,))
    (path,) = (slot.path for slot in answer.texts() if slot.text == "secret")
    changed = answer.with_texts({path: "***"})
    assert changed.opaque[0].slots[0].text == "***"
    assert changed.body == body
    (own,) = (slot.path for slot in answer.texts() if slot.text == "kept")
    assert answer.with_texts({own: "***"}).body["$opaque"] == ["***"]


def test_an_answer_is_complete_when_it_is_returned() -> None:
    endings: list[str] = []
    Answer(dialect=OPENAI_CHAT, body={}).on_close(endings.append)
    assert endings == ["completed"]
