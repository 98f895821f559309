"""What only Cohere says, in chunks of a stream: whose thoughts these are, and what a text rests on."""

from __future__ import annotations

from sentinel_core.dialects.cohere_chat.words import CITATIONS, THINKING, VENDOR, extension
from sentinel_core.dialects.openai_chat.canonical import EXTENSION, chunk_event
from sentinel_core.dialects.openai_chat.fields import IDENTIFIERS, KNOWN_KEYS
from sentinel_core.dialects.slots import string_slots
from sentinel_core.events import Opaque
from sentinel_core.json_types import JsonMapping

_DELTA = ("choices", 0, "delta")
_KNOWN = KNOWN_KEYS | {
    *(EXTENSION, VENDOR, CITATIONS, "content_index", "document", "end", "sources", "start", "tool_output"),
}


def thought(head: JsonMapping) -> Opaque:
    """The mark of Cohere's own thoughts, once for a stream."""
    return chunk_event(head, extension({THINKING: True}))


def cited(head: JsonMapping, citation: JsonMapping) -> Opaque:
    """A citation. It quotes the answer and its sources, so guards read all of it."""
    delta = extension({CITATIONS: [citation]})
    slots = string_slots(delta, _DELTA, role="assistant", skip=IDENTIFIERS, known=_KNOWN)
    return chunk_event(head, delta, tuple(slots))
