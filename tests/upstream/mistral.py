"""Mistral's chat: OpenAI's, with thoughts as parts of the content, counts and errors of its own, and nine-letter ids.

Source: https://docs.mistral.ai/api/ and the response types of Mistral's own client.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage
from tests.upstream.api import Said
from tests.upstream.openai import OpenAI
from tests.upstream.payloads import delta

_HEARD = {"role": "assistant", "content": "OK"}


class Mistral(OpenAI):
    """A compatible host with more rules than others."""

    name = "mistral"

    def error(self, status: int, message: str) -> JsonValue:
        """No envelope."""
        kind = "invalid_request_error" if status < 500 else "internal_server_error"
        return {"object": "error", "message": message, "type": kind, "param": None, "code": None}

    def conversation(self, body: JsonMapping) -> JsonObject:
        """A call of a tool that must be made is `any`. An assistant speaks between a result and a user, if only to say
        that it heard."""
        read = super().conversation(body)
        if read.get("tool_choice") == "any":
            read["tool_choice"] = "required"
        roles = ["", *(message["role"] for message in read["messages"]), ""]
        assert ("tool", "user") not in pairwise(roles)
        between = [roles[place : place + 3] == ["tool", "assistant", "user"] for place in range(len(read["messages"]))]
        said = zip(read["messages"], between, strict=True)
        return {**read, "messages": [message for message, heard in said if not (heard and message == _HEARD)]}

    def reasoned(self, text: str | None, reasoning: str) -> JsonObject:
        """Thoughts stand in the content, as parts."""
        if not reasoning:
            return {"content": text}
        thought = {"type": "thinking", "thinking": [{"type": "text", "text": reasoning}]}
        return {"content": [thought, *([{"type": "text", "text": text}] if text else [])]}

    def end(self, said: Said) -> Sequence[JsonObject]:
        """The counts stand beside the finish."""
        return [{**delta("", finish=said.finish), **self.counted(said.usage)}]

    def counted(self, usage: Usage | None) -> JsonObject:
        """Cached tokens are counted beside the others; reasoning tokens are not told apart."""
        counts = super().counted(usage).get("usage")
        if usage is None or counts is None:
            return {}
        plain = {name: count for name, count in counts.items() if not name.endswith("_details")}
        return {"usage": {**plain, "num_cached_tokens": usage.cached_tokens}}


MISTRAL = Mistral()
