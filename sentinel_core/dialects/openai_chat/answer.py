"""Unary answers: validation, usage, patching of changed texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sentinel_core.costs import Provisional
from sentinel_core.decoding import ANSWER_LIMITS, JsonLimits, decode_reply
from sentinel_core.dialects.openai_chat.arguments import made_texts
from sentinel_core.dialects.openai_chat.content_parts import with_plain_message
from sentinel_core.dialects.openai_chat.copies import details_again
from sentinel_core.dialects.openai_chat.errors import is_error, reported_error
from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.dialects.slots import Path, patched
from sentinel_core.dialects.token_counts import is_count
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer
from sentinel_core.usage import Usage, served_tier

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_IN_MESSAGE = len(("choices", 0, "message", "reasoning"))


def decode(dialect: Dialect, raw: bytes) -> Answer:
    """Read an upstream's completion. Raises `UpstreamError` for what is none (U12, U13, U14)."""
    body = decode_object(raw)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not all(_is_choice(choice) for choice in choices):
        raise UpstreamError("upstream_invalid_response")
    sent: bytes | None = raw
    for place, choice in enumerate(choices):
        plain = with_plain_message(choice)
        if made_texts(plain["message"]) or plain is not choice:
            choices[place], sent = plain, None
    return Answer(dialect=dialect, body=body, raw=sent, usage=decode_usage(body.get("usage"), body.get("service_tier")))


def decode_object(
    raw: bytes,
    limits: JsonLimits = ANSWER_LIMITS,
    reported: Callable[[JsonMapping], UpstreamError] = reported_error,
) -> JsonObject:
    """The JSON object that a body is. Raises `UpstreamError` for any other body, and for an error with status 200,
    which `reported` reads."""
    body = decode_reply(raw, limits)
    if is_error(body):
        raise reported(body)
    return body


def decode_usage(usage: JsonValue, tier: JsonValue = None) -> Usage | None:
    """Token counts, with the `tier` that an answer names beside them, or None where they are absent or not valid.
    Explicit zeros are counts, and what is missing is the rest of the total: a total alone does not say of what, and
    beside a prompt alone the answer is still to be counted (`Provisional`)."""
    if type(usage) is not dict:
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    total = usage.get("total_tokens")
    for count in (prompt, completion, total):
        if count is not None and not is_count(count):
            return None
    if prompt is None and completion is not None and total is not None and total > completion:
        prompt = total - completion
    if completion is None and prompt is not None and total is not None and total >= prompt:
        completion = total - prompt
    if prompt is None or not is_count(prompt + (completion or 0)):
        return None
    kind = Usage if completion is not None else Provisional
    completion = completion or 0
    return kind(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion if total is None else total,
        cached_tokens=_detail(usage.get("prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=_detail(usage.get("completion_tokens_details"), "reasoning_tokens"),
        cache_write_tokens=_detail(usage.get("prompt_tokens_details"), "cache_write_tokens"),
        service_tier=served_tier(tier),
    )


def patch(body: JsonMapping, texts: Mapping[Path, str]) -> JsonMapping:
    """The body with other texts. Logprobs spell out the text again, so a changed choice loses its own."""
    result: JsonObject = patched(body, texts)
    for position in {path[1] for path in texts if len(path) > 2 and path[0] == "choices"}:
        if not isinstance(position, int):
            continue
        choice = result["choices"][position]
        if choice.get("logprobs") is not None:
            choices = list(result["choices"])
            choices[position] = {**choice, "logprobs": None}
            result["choices"] = choices
    return result


def restored(body: JsonMapping, texts: Mapping[Path, str]) -> JsonMapping:
    """The body with texts in which the caller's values stand again, also where its reasoning is said once more."""
    result = patch(body, texts)
    for path, text in texts.items():
        if len(path) == _IN_MESSAGE and path[0] == "choices" and path[-1] in REASONING_KEYS:
            before = body["choices"][path[1]]["message"]
            result["choices"][path[1]]["message"] |= details_again(before, before[path[-1]], text)
    return result


def _is_choice(choice: JsonValue) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("message"), dict)


def _detail(details: JsonValue, name: str) -> int:
    value = details.get(name) if type(details) is dict else None
    return value if is_count(value) else 0
