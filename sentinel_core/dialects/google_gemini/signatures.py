"""Thought signatures: encrypted state of the model that must come back where it stood, unmodified.

Source: https://ai.google.dev/gemini-api/docs/thought-signatures. In OpenAI's form they are where Google's own
translation puts them: `extra_content.google.thought_signature` of a tool call, or of the message for its text. From
Gemini 3 on, the first call of each step of the current turn must be signed, else the request is refused with 400.
"""

from __future__ import annotations

from collections.abc import Sequence

from sentinel_core.dialects.google_gemini.words import own_extension
from sentinel_core.json_types import JsonMapping

KEY = "thought_signature"
UNSIGNED = "skip_thought_signature_validator"
"""What Google documents for calls that another model made, or whose signature was lost."""


def signature_of(holder: JsonMapping) -> dict[str, str]:
    """The signature that was kept here, as a field of a part; empty where none was."""
    kept = own_extension(holder).get(KEY)
    return {"thoughtSignature": kept} if isinstance(kept, str) and kept else {}


def sign_current_turn(contents: Sequence[JsonMapping]) -> None:
    """Mark the first call of each step since the user last said something, where it has no signature of its own."""
    for content in reversed(contents):
        if content["role"] == "user":
            if any(part.get("text") for part in content["parts"]):
                return
            continue
        call = next((part for part in content["parts"] if "functionCall" in part), None)
        if call is not None:
            call.setdefault("thoughtSignature", UNSIGNED)
