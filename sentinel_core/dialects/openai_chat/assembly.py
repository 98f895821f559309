"""Between a unary answer and the events of a stream, both ways."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sentinel_core.dialects.lanes import changed_ends, decomposed, recomposed
from sentinel_core.dialects.openai_chat.arguments import arguments_text
from sentinel_core.dialects.openai_chat.choice import Choice, outside_of
from sentinel_core.dialects.openai_chat.decoder import PLAIN_CHUNK, ChatStreamDecoder
from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.dialects.openai_chat.opening import opens
from sentinel_core.dialects.openai_chat.place import FUNCTION_CALL, is_custom
from sentinel_core.dialects.slots import JSON, Path, patched
from sentinel_core.events import (
    Event,
    Finish,
    Opaque,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TextEvent,
    ToolCallDelta,
    ToolInputDelta,
    UsageReport,
)
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer
from sentinel_core.usage import Usage

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_encode = msgspec.json.Encoder().encode
_TOP = ("id", "created", "model", "service_tier", "system_fingerprint")
"""Identifiers that the chunk which opens a stream gives to the answer. Other fields come with the event that guards
saw."""


def decompose(answer: Answer) -> tuple[Event, ...]:
    """Per choice its channels; then one Opaque with every other string; then the ends and the usage."""
    return decomposed(answer, _lanes(answer.body), ends_of(answer.body))


def ends(answer: Answer) -> list[Finish]:
    """How each choice ended."""
    return ends_of(answer.body)


def recompose(answer: Answer, events: Sequence[Event]) -> Answer:
    """Patch into `answer` what came out of a stream stage. What did not come out, text or end, is taken out."""
    return with_ends(recomposed(answer, _lanes(answer.body), events), changed_ends(ends_of(answer.body), events))


def assemble(dialect: Dialect, events: Iterable[Event], form: Form | None = None) -> Answer:
    """One answer with the text of every lane, the last usage, and the stream's own fields."""
    form = form or _CHAT
    head: JsonObject = {}
    top: JsonObject = {}
    choices: dict[int, Choice] = {}
    usage: UsageReport | None = None
    opaque: list[Opaque] = []
    for event in events:
        if event.frame is not None and not head and opens(event.frame.body):
            head = {key: event.frame.body[key] for key in _TOP if key in event.frame.body}
        if isinstance(event, TextEvent):
            choices.setdefault(event.choice, form.choice()).add(event)
        elif isinstance(event, Finish):
            choices.setdefault(event.choice, form.choice()).reason = event.reason
        elif isinstance(event, UsageReport):
            usage = event
        elif isinstance(event, Opaque) and event.slots:
            opaque.append(event)
            if event.frame is not None:
                chunk = patched(event.frame.body, event.patches)
                top.update(_unknown_fields(chunk))
                for index, outside in outside_of(chunk):
                    choices.setdefault(index, form.choice()).keep(outside)
    created = head.pop("created", None)
    body: JsonObject = {
        "id": head.pop("id", None) or form.id,
        "object": form.object,
        "created": created if isinstance(created, int | float) else int(time.time()),
        "model": head.pop("model", None) or "",
        "choices": [choice.body(index) for index, choice in sorted(choices.items())],
        **head,
        **top,
    }
    if usage is not None:
        frame = None if usage.changed else usage.frame
        body["usage"] = frame.body["usage"] if frame is not None else usage_object(usage.usage)
    return Answer(
        dialect=dialect,
        body=body,
        operation=dialect.operation,
        usage=usage.usage if usage else None,
        opaque=tuple(opaque),
    )


def stream_frames(answer: Answer) -> tuple[Event, ...]:
    """Chunks that say what the answer says: per choice one with its message, one with its end; then the usage."""
    body = answer.body
    top = {key: value for key, value in body.items() if key not in ("choices", "usage")}
    top["object"] = "chat.completion.chunk"
    decoder = ChatStreamDecoder()
    chunks: list[JsonObject] = []
    for index, choice in numbered(body):
        rest = {key: value for key, value in choice.items() if key not in ("message", "finish_reason", "index")}
        delta = _delta(choice["message"])
        chunks.append({**top, "choices": [{"index": index, "delta": delta, **rest, "finish_reason": None}]})
        end: JsonObject = {"index": index, "delta": {}, "finish_reason": choice.get("finish_reason") or "stop"}
        chunks.append({**top, "choices": [end]})
    if body.get("usage") is not None:
        chunks.append({**top, "choices": [], "usage": body["usage"]})
    return tuple(event for chunk in chunks for event in decoder.events(_encode(chunk), chunk))


def usage_object(usage: Usage) -> JsonObject:
    """Token counts in OpenAI's form."""
    body: JsonObject = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    prompt = {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens}
    if any(prompt.values()):
        body["prompt_tokens_details"] = {name: count for name, count in prompt.items() if count}
    if usage.reasoning_tokens:
        body["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return body


def _unknown_fields(body: JsonMapping) -> JsonObject:
    return {key: value for key, value in body.items() if key not in PLAIN_CHUNK}


class Form(NamedTuple):
    """What an assembled answer is called, and how its choices look."""

    object: str
    id: str
    choice: type[Choice]


_CHAT = Form("chat.completion", "chatcmpl-assembled", Choice)


def numbered(body: JsonMapping) -> list[tuple[int, JsonMapping]]:
    """The choices by their indexes, or by position where these do not tell them apart."""
    choices = body.get("choices") or ()
    indexes = [choice.get("index") for choice in choices]
    if not all(isinstance(index, int) for index in indexes) or len(set(indexes)) < len(indexes):
        indexes = list(range(len(indexes)))
    return list(zip(indexes, choices, strict=True))


def ends_of(body: JsonMapping) -> list[Finish]:
    """How each choice ended."""
    return [Finish(choice=index, reason=choice.get("finish_reason") or "stop") for index, choice in numbered(body)]


def with_ends(answer: Answer, reasons: Mapping[int, str | None]) -> Answer:
    """The answer with these choices ending otherwise."""
    if not reasons:
        return answer
    choices = [
        {**choice, "finish_reason": reasons[index]} if index in reasons else choice
        for index, choice in numbered(answer.body)
    ]
    return msgspec.structs.replace(answer, body={**answer.body, "choices": choices}, raw=None)


def _lanes(body: JsonMapping) -> list[tuple[Path, TextEvent]]:
    """Every channel text of a unary body: where it stands, and as an event."""
    found: list[tuple[Path, TextEvent]] = []
    for position, (index, choice) in enumerate(numbered(body)):
        message = choice.get("message")
        if not isinstance(message, Mapping):
            continue
        path: Path = ("choices", position, "message")
        if isinstance(message.get("content"), str):
            found.append(((*path, "content"), TextDelta(choice=index, text=message["content"])))
        for key in REASONING_KEYS:
            if isinstance(message.get(key), str):
                found.append(((*path, key), ReasoningDelta(choice=index, text=message[key])))
                break
        if isinstance(message.get("refusal"), str):
            found.append(((*path, "refusal"), RefusalDelta(choice=index, text=message["refusal"])))
        found += _call_lanes(message, path, index)
    return found


def _call_lanes(message: JsonMapping, path: Path, choice: int) -> list[tuple[Path, TextEvent]]:
    found: list[tuple[Path, TextEvent]] = []
    calls = message.get("tool_calls")
    for number, call in enumerate(calls if isinstance(calls, list) else ()):
        if not isinstance(call, Mapping):
            continue
        member, key = ("custom", "input") if is_custom(call) else ("function", "arguments")
        said, identifier = call.get(member), call.get("id")
        if isinstance(said, Mapping) and isinstance(said.get(key), str if member == "custom" else str | dict):
            event = (ToolInputDelta if member == "custom" else ToolCallDelta)(
                choice=choice,
                text=arguments_text(said[key]),
                index=number,
                id=identifier if isinstance(identifier, str) else None,
                name=said.get("name") if isinstance(said.get("name"), str) else None,
            )
            found.append((_arguments_path((*path, "tool_calls", number, member, key), said[key]), event))
    function = message.get("function_call")
    if isinstance(function, Mapping) and isinstance(function.get("arguments"), str | dict):
        arguments = function["arguments"]
        event = ToolCallDelta(choice=choice, text=arguments_text(arguments), index=FUNCTION_CALL)
        found.append((_arguments_path((*path, "function_call", "arguments"), arguments), event))
    return found


def _arguments_path(path: Path, arguments: JsonValue) -> Path:
    """Where the text of a call's arguments stands: it is the JSON of those that are an object."""
    return path if isinstance(arguments, str) else (*path, JSON)


def _delta(message: JsonMapping) -> JsonObject:
    """A message as one delta; tool calls carry their index there."""
    delta = dict(message)
    calls = delta.get("tool_calls")
    if isinstance(calls, list):
        delta["tool_calls"] = [
            {**call, "index": number} if isinstance(call, Mapping) else call for number, call in enumerate(calls)
        ]
    return delta


__all__ = [
    "Choice",
    "Form",
    "assemble",
    "decompose",
    "ends_of",
    "numbered",
    "recompose",
    "stream_frames",
    "usage_object",
    "with_ends",
]
