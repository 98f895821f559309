"""Calls of tools in answers, in OpenAI's form.

Google's calls need no id; OpenAI's clients do, and Google takes it back with the result. An id that is missing is made
of the answer's own, the candidate's number and the call's: the same answer always has the same ids, and no two calls of
a conversation share one.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b

import msgspec

from sentinel_core.dialects.google_gemini.signatures import KEY
from sentinel_core.dialects.google_gemini.wire import FunctionCall
from sentinel_core.dialects.google_gemini.words import extension
from sentinel_core.json_types import JsonObject

_encode = msgspec.json.Encoder().encode


def seed_of(response_id: str | None) -> str:
    """What the ids of one answer are made of. One without an id of its own gets a random one."""
    return response_id or secrets.token_hex(16)


def tool_call(call: FunctionCall, signature: str | None, seed: str, choice: int, index: int) -> JsonObject:
    """One item of `tool_calls`. Arguments that are missing are an empty object: clients parse what they are given."""
    identifier = call.id or f"call_{blake2b(f'{seed}/{choice}/{index}'.encode(), digest_size=12).hexdigest()}"
    function = {"name": call.name, "arguments": _encode(call.args or {}).decode()}
    made = {"id": identifier, "type": "function", "function": function}
    return made | extension(**{KEY: signature}) if signature else made
