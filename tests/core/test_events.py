"""Events of streams: replaced, they are others; unchanged, they are themselves."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.slots import TextSlot
from sentinel_core.events import Opaque, TextDelta, ToolCallDelta

BODY = {"model": "m", "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]}


def test_an_event_with_the_same_text_is_the_same_event() -> None:
    event = TextDelta(text="a")
    assert event.with_text("a") is event
    assert event.with_text("b") == TextDelta(text="b", changed=True)


def test_a_tool_call_keeps_what_it_is_when_its_text_changes() -> None:
    event = ToolCallDelta(choice=1, index=2, id="c", name="f", text="{").with_text("[")
    assert (event.lane, event.id, event.name) == ((1, "tool_arguments", 2), "c", "f")


def test_an_opaque_event_takes_texts_for_its_own_slots_only() -> None:
    opaque = Opaque(slots=(TextSlot(("x",), "a"),))
    assert opaque.with_texts({}) is opaque
    with pytest.raises(KeyError):
        opaque.with_texts({("y",): "b"})
