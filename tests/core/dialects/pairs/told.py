"""What a client reads in an answer, the same for every dialect, and what it should have read."""

from __future__ import annotations

import json
from typing import NamedTuple

from sentinel_core.json_types import JsonValue
from tests.core.dialects.pairs.conversations import canonical
from tests.upstream.api import Said
from tests.upstream.apis import Spoken

WORDS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}

CUT = {"max_output_tokens": "length", "content_filter": "content_filter"}


class Told(NamedTuple):
    """What a client reads in an answer."""

    text: str
    reasoning: str
    calls: tuple[tuple[str, str], ...]
    finish: str
    usage: tuple[int, ...]


def told_in_chat(body: JsonValue) -> Told:
    choice, usage = body["choices"][0], body["usage"]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    reasoned = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    return Told(
        message.get("content") or "",
        message.get("reasoning_content") or "",
        tuple((call["name"], canonical(json.loads(call["arguments"]))) for call in calls),
        choice["finish_reason"],
        (usage["prompt_tokens"], usage["completion_tokens"], cached, reasoned),
    )


def told_in_messages(body: JsonValue) -> Told:
    blocks, usage = body["content"], body["usage"]
    reasoned = (usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    cached = usage.get("cache_read_input_tokens") or 0
    return Told(
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        tuple((block["name"], canonical(block["input"])) for block in blocks if block["type"] == "tool_use"),
        {word: reason for reason, word in WORDS.items()}[body["stop_reason"]],
        (usage["input_tokens"] + cached, usage["output_tokens"], cached, reasoned),
    )


def told_in_responses(body: JsonValue) -> Told:
    items, usage = body["output"], body["usage"]
    calls = [item for item in items if item["type"] == "function_call"]
    details = body["incomplete_details"]
    return Told(
        _parts(items, "output_text"),
        _parts(items, "reasoning_text"),
        tuple((call["name"], canonical(json.loads(call["arguments"]))) for call in calls),
        CUT[details["reason"]] if details else "tool_calls" if calls else "stop",
        (
            usage["input_tokens"],
            usage["output_tokens"],
            usage["input_tokens_details"]["cached_tokens"],
            usage["output_tokens_details"]["reasoning_tokens"],
        ),
    )


def _parts(items: JsonValue, kind: str) -> str:
    parts = (part for item in items for part in item.get("content") or ())
    return "".join(part["text"] for part in parts if part["type"] == kind)


def expected(spoken: Spoken, said: Said) -> Told:
    """All that was said, as far as the upstream has words for it."""
    assert said.usage is not None
    cached = 0 if "cached_tokens" in spoken.unsaid else said.usage.cached_tokens
    reasoned = 0 if "reasoning_tokens" in spoken.unsaid else said.usage.reasoning_tokens
    return Told(
        said.text,
        said.reasoning,
        tuple((call.name, canonical(dict(call.arguments))) for call in said.calls),
        said.finish,
        (said.usage.prompt_tokens, said.usage.completion_tokens, cached, reasoned),
    )
