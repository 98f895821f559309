"""Which strings of completion bodies are text, and which are identifiers that no guard reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentinel_core.dialects.openai_chat.fields import IDENTIFIERS
from sentinel_core.dialects.openai_chat.fields import KNOWN_KEYS as CHAT_KEYS
from sentinel_core.dialects.slots import KEY, Path, TextSlot, string_slots
from sentinel_core.json_types import JsonMapping, JsonValue

KNOWN_KEYS = CHAT_KEYS | {
    *("best_of", "echo", "prompt", "prompt_logprobs", "suffix", "text_offset", "token_logprobs", "tokens"),
}
"""Object keys of the format itself: not text that anybody wrote."""

PROMPTS = ("prompt", "suffix")
"""What the caller says: the text to go on from, and the text to arrive at."""


def request_slots(body: JsonMapping) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of a request, the prompts first."""
    slots: list[TextSlot] = []
    for key in PROMPTS:
        slots += prompt_slots(body.get(key), (key,))
    for key, value in body.items():
        if key in PROMPTS or (key == "model" and isinstance(value, str)):
            continue
        slots += string_slots(value, (key,), skip=IDENTIFIERS, known=KNOWN_KEYS)
        if key not in KNOWN_KEYS:
            slots.append(TextSlot((KEY, key), key, None, "key"))
    return tuple(slots)


def prompt_slots(prompt: Any, path: Path) -> list[TextSlot]:  # a string, or a list of strings or tokens
    """The strings of a prompt, as the user's content."""
    return string_slots(prompt, path, role="user", kind="content")


def answer_slots(body: JsonMapping) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of an answer, the text of each choice first."""
    slots: list[TextSlot] = []
    for index, choice in enumerate(body.get("choices") or ()):
        if isinstance(choice, Mapping) and isinstance(choice.get("text"), str):
            slots.append(TextSlot(("choices", index, "text"), choice["text"], "assistant", "content"))
        slots += rest_slots(choice, ("choices", index), "text")
    return (*slots, *rest_slots(body, (), "choices"))


def rest_slots(holder: JsonValue, path: Path, covered: str) -> list[TextSlot]:
    """The strings of a body or a choice outside the member that is looked at by itself."""
    if isinstance(holder, dict) and (covered == "choices" or isinstance(holder.get(covered), str)):
        holder = {key: value for key, value in holder.items() if key != covered}
    return string_slots(holder, path, role="assistant", skip=IDENTIFIERS, known=KNOWN_KEYS)
