"""Which strings outside a chunk's channels commit to its answer.

Hosts tell of themselves and of the request with the chunk that opens a stream (`x_groq`, `provider`, the verdicts of
filters). Guards read that as well, but nothing is said to anybody yet: another target may still take over.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.dialects.slots import KEY, TextSlot
from sentinel_core.events import Opaque
from sentinel_core.json_types import JsonMapping

_SAYING = frozenset({"logprobs", "message", "text", *REASONING_KEYS})
"""Members of a choice, beside its delta, in which some hosts say what the model says."""


def commits(event: Opaque) -> bool:
    """Whether a part of the answer stands among the strings of an event."""
    frame = event.frame
    return frame is not None and any(_is_said(frame.body, slot) for slot in event.slots)


def _is_said(chunk: JsonMapping, slot: TextSlot) -> bool:
    """Whether a string is of the answer, and not empty; the name of a member counts with what the member holds."""
    match slot.path:
        case ("choices", int(position), "delta", step, *rest) if step != "role":
            delta, member = chunk["choices"][position]["delta"], rest[0] if step == KEY else step
            return not isinstance(delta, Mapping) or bool(delta.get(member))
        case ("choices", int(), member, *_) if member in _SAYING:
            return slot.kind != "key" and bool(slot.text)
    return False
