"""What a model thought before it spoke, as an assistant's messages carry it from turn to turn.

Some APIs want it back, DeepSeek's with every call of a tool; others have no place for it. The canonical form keeps it,
and who writes for an upstream says whether that takes it.
"""

from __future__ import annotations

from typing import Final

from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.json_types import JsonMapping

THOUGHTS: Final = frozenset({*REASONING_KEYS, "reasoning_details"})
"""The members of a message that say it; what others thought says nothing to an API that has none of them."""


def without_thoughts(body: JsonMapping) -> JsonMapping:
    """A chat request for an API that takes none back. Without any the body is the same object."""
    messages = body.get("messages", ())
    if all(THOUGHTS.isdisjoint(message) for message in messages):
        return body
    plain = [{key: value for key, value in message.items() if key not in THOUGHTS} for message in messages]
    return {**body, "messages": plain}
