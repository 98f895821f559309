"""Cohere's log probabilities as OpenAI's.

Source: `LogprobItem` of cohere-ai/cohere-python 7.3.1: a piece of text, and the log probability of each token in it.
The tokens' own texts are not told, so a piece is one entry, with the probability of all its tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue


def choice_logprobs(items: Sequence[JsonValue]) -> JsonObject:
    """The `logprobs` of a choice."""
    return {"content": [_entry(item) for item in items if _is_piece(item)], "refusal": None}


def _entry(item: JsonMapping) -> JsonObject:
    text = item["text"]
    return {"token": text, "logprob": sum(item["logprobs"]), "bytes": list(text.encode()), "top_logprobs": []}


def _is_piece(item: JsonValue) -> bool:
    if not isinstance(item, Mapping) or not isinstance(item.get("text"), str):
        return False
    numbers = item.get("logprobs")
    return isinstance(numbers, list) and all(isinstance(number, int | float) for number in numbers)
