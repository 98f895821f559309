"""The words of Ollama's API beside OpenAI's: reasons to stop, token counts, how hard to think, probabilities.

Source: `api/types.go`, `llm/server.go` and `server/routes.go` of https://github.com/ollama/ollama, and the types of its
Python client (https://pypi.org/project/ollama, 0.6.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sentinel_core.dialects.token_counts import is_count
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage

_LEVELS: Final[Mapping[str, str]] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
"""`think` for each of OpenAI's efforts. `max` is a word of newer servers only; older ones refuse it."""
_WITH_LEVELS: Final = "gpt-oss"
"""The models that think by levels (ollama/ollama-js#239). Of all others the server answers 400 to one."""

_NO_ANSWER = ("load", "unload")
"""The model was loaded or unloaded, and nothing was said."""


def thinking(effort: str, model: str) -> bool | str | None:
    """`think` for one of OpenAI's efforts: a level where the model has such, else whether to think at all; None for a
    word that is no effort."""
    if effort == "none":
        return False
    level = _LEVELS.get(effort)
    return True if level is not None and _WITH_LEVELS not in model.lower() else level


def finish_reason(reason: JsonValue, *, calls: bool) -> str:
    """OpenAI's word for why an answer is done; Ollama says `stop` after calls of tools, too.

    Servers that are old or not Ollama's give no reason at all: `done` alone makes an answer complete. Raises
    `UpstreamError` where there is no answer.
    """
    if reason in _NO_ANSWER:
        raise UpstreamError("upstream_invalid_response")
    if reason == "length":
        return "length"
    return "tool_calls" if calls else "stop"


def usage_of(body: JsonMapping) -> Usage | None:
    """The token counts of a complete answer, or None where one of the two is missing or makes no sense.

    A count of 0 is left out on the wire, and so is a prompt's that was found in the cache (ollama/ollama#2068): what is
    absent is not known. `prompt_eval_cached_count` (0.33 and later) is part of the prompt's count.
    """
    prompt, completion = body.get("prompt_eval_count"), body.get("eval_count")
    if not is_count(prompt) or not is_count(completion):
        return None
    cached = body.get("prompt_eval_cached_count")
    return Usage(prompt, completion, prompt + completion, min(cached, prompt) if is_count(cached) else 0)


def logprobs_of(tokens: JsonValue) -> JsonObject | None:
    """The probabilities of tokens as they stand in OpenAI's choice; None where there are none."""
    content = [
        {**_token(token), "top_logprobs": [_token(other) for other in _objects(token.get("top_logprobs"))]}
        for token in _objects(tokens)
    ]
    return {"content": content, "refusal": None} if content else None


def _token(token: JsonMapping) -> JsonObject:
    return {"token": token.get("token"), "logprob": token.get("logprob"), "bytes": token.get("bytes")}


def _objects(items: JsonValue) -> list[JsonMapping]:
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
