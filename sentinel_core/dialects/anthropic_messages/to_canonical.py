"""Messages bodies in OpenAI's form."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from sentinel_core.dialects.anthropic_messages import thinking
from sentinel_core.dialects.anthropic_messages.content import (
    beside,
    content_of,
    extension,
    own_extension,
    part_of,
    surplus,
)
from sentinel_core.dialects.anthropic_messages.shape import checked
from sentinel_core.dialects.anthropic_messages.words import EXTENSION, counts, finish_reason, usage_of
from sentinel_core.dialects.openai_chat.assembly import usage_object
from sentinel_core.dialects.translation import Translated
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer, Request

_encode = msgspec.json.Encoder().encode
_SAME = frozenset({"model", "temperature", "top_p", "top_k", "stream"})
_BUDGET_EFFORTS = ((4096, "low"), (16_384, "medium"))
_EXACT = frozenset({"end_turn", "max_tokens", "tool_use", "refusal"})
"""Stop reasons that come back from OpenAI's word as they were."""
BETAS: Final = "anthropic_beta"
"""In `Request.gateway`: the betas that the client's `anthropic-beta` header names."""


def request_body(request: Request) -> Translated:
    """A request in OpenAI's form, and the names of what blocks and functions say beside what that form knows; fields
    without a counterpart are kept below `extra_content.anthropic`."""
    body = checked(request.body)
    result: JsonObject = {key: body[key] for key in body if key in _SAME}
    result["messages"] = [*_system(body.get("system")), *(one for turn in body["messages"] for one in _turn(turn))]
    if "max_tokens" in body:
        result["max_completion_tokens"] = body["max_tokens"]
    if "stop_sequences" in body:
        result["stop"] = body["stop_sequences"]
    if body.get("tools"):
        result["tools"] = [_tool(tool) for tool in body["tools"]]
    rest = {key: value for key, value in body.items() if key not in _HANDLED}
    _choice(body.get("tool_choice"), result, rest)
    _output(body, result, rest)
    metadata = body.get("metadata")
    if isinstance(metadata, Mapping) and set(metadata) == {"user_id"} and isinstance(metadata["user_id"], str):
        result["user"] = metadata["user_id"]
    elif metadata:
        rest["metadata"] = metadata
    tier = body.get("service_tier")
    if tier is not None:
        result["service_tier"] = "default" if tier == "standard_only" else tier
    if betas := request.gateway.get(BETAS):
        rest[BETAS] = list(betas)
    return Translated({**result, **extension(rest)} if rest else result, _lost(body))


_HANDLED = _SAME | {
    *("messages", "system", "max_tokens", "stop_sequences", "tools", "tool_choice", "metadata", "service_tier"),
    *("output_config", "thinking"),
}


def answer_body(answer: Answer) -> JsonObject:
    """A message as a completion with one choice. What only Anthropic knows is in `message.extra_content`. Blocks that
    are neither text, thought nor a call of the client's are left out, as they are of streams."""
    body = answer.body
    message = _assistant([block for block in body["content"] if _is_answered(block)])
    reason = body["stop_reason"]
    if reason not in _EXACT:
        stop = {"stop_reason": reason, "stop_sequence": body.get("stop_sequence")}
        message |= extension({**(own_extension(message) or {}), **stop})
    details = body.get("stop_details")
    if reason == "refusal" and isinstance(details, Mapping) and isinstance(details.get("explanation"), str):
        message["refusal"] = details["explanation"]
    result: JsonObject = {
        "id": body.get("id") or "msg_gateway",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.get("model") or "",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(reason)}],
    }
    usage = usage_of(counts(body.get("usage")))
    if usage is not None:
        result["usage"] = usage_object(usage)
    return result


def _is_answered(block: JsonMapping) -> bool:
    """Whether a chat has a place for a block of an answer, whose content is one text."""
    return block["type"] in ("tool_use", *thinking.KINDS) or (
        block["type"] == "text" and isinstance(block.get("text"), str)
    )


def _lost(body: JsonMapping) -> tuple[str, ...]:
    """The names of what blocks and functions say that no other vendor is told."""
    contents = (body.get("system"), *(turn["content"] for turn in body["messages"]))
    blocks = (block for content in contents for block in _blocks(content))
    names = [f"messages.{key}" for block in blocks for key in beside(block)]
    said = (block for turn in body["messages"] if turn["role"] == "assistant" for block in _blocks(turn["content"]))
    names += ["cache_control" for block in said if block["type"] in _UNMARKED and block.get("cache_control")]
    names += [f"tools.{key}" for tool in body.get("tools") or () for key in _beside_function(tool)]
    return tuple(dict.fromkeys(names))


def _blocks(content: JsonValue) -> Iterator[JsonMapping]:  # a string, a list of blocks, or None
    """The blocks, and those within results of tools."""
    for block in content if isinstance(content, list) else ():
        yield block
        if block["type"] == "tool_result":
            yield from _blocks(block.get("content"))


_UNMARKED = ("text", "tool_use")
"""Blocks of an assistant that no mark for the cache goes with: texts become one, calls are OpenAI's."""


def _system(system: JsonValue) -> list[JsonObject]:
    if not system:
        return []
    content = system if isinstance(system, str) else content_of(system)
    return [{"role": "system", "content": content}]


def _turn(turn: JsonMapping) -> list[JsonObject]:
    """One turn as messages: results of tools are messages of their own, before what the user says."""
    role, content = turn["role"], turn["content"]
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    if role == "assistant":
        return [_assistant(content)]
    messages = [_result(block) for block in content if block["type"] == "tool_result"]
    said = [block for block in content if block["type"] != "tool_result"]
    if said or not messages:
        messages.append({"role": role, "content": content_of(said)})
    return messages


def _result(block: JsonMapping) -> JsonObject:
    content = block.get("content", "")
    message: JsonObject = {
        "role": "tool",
        "tool_call_id": block.get("tool_use_id"),
        "content": content if isinstance(content, str) else content_of(content or [{"type": "text", "text": ""}]),
    }
    rest = {key: value for key, value in block.items() if key not in ("type", "tool_use_id", "content")}
    return {**message, **extension(rest)} if rest else message


def _assistant(blocks: Sequence[JsonMapping]) -> JsonObject:
    """The assistant's blocks as one message: what it thought, what it said, which tools it calls."""
    thoughts = [block for block in blocks if block["type"] in thinking.KINDS]
    calls = [block for block in blocks if block["type"] == "tool_use"]
    said = [block for block in blocks if block["type"] not in thinking.KINDS and block["type"] != "tool_use"]
    message: JsonObject = {"role": "assistant", "content": _said(said)}
    if thoughts:
        text, parts = thinking.parted(thoughts)
        message["reasoning_content"] = text
        message |= extension({thinking.BLOCKS: parts})
    if calls:
        message["tool_calls"] = [_call(block) for block in calls]
    elif not said:
        message["content"] = ""  # null is for turns that call: OpenAI refuses others
    return message


def _said(blocks: Sequence[JsonMapping]) -> JsonValue:
    """Text is one string, as OpenAI's clients expect it of an answer; anything beside text needs parts."""
    if not blocks:
        return None
    if all(block["type"] == "text" and isinstance(block.get("text"), str) for block in blocks):
        return "".join(block["text"] for block in blocks)
    return [part_of(block) for block in blocks]


def _call(block: JsonMapping) -> JsonObject:
    function = {"name": block.get("name"), "arguments": _encode(block["input"]).decode()}
    return {"id": block.get("id"), "type": "function", "function": function}


def _tool(tool: JsonMapping) -> JsonObject:
    if not _is_function(tool):
        return {"type": EXTENSION, **extension(dict(tool))}
    function = {_TOOL[key]: value for key, value in tool.items() if key in _TOOL and value is not None}
    cached = {"cache_control": tool["cache_control"]} if tool.get("cache_control") is not None else {}
    kept = _beside_function(tool)
    return {"type": "function", "function": function, **cached, **(extension(kept) if kept else {})}


_TOOL = {"name": "name", "description": "description", "input_schema": "parameters", "strict": "strict"}
_TOOL_KEYS = frozenset({*_TOOL, "type", "cache_control"})


def _is_function(tool: JsonMapping) -> bool:
    """Whether it is the client's own tool, and none of the provider's."""
    return tool.get("type") in (None, "custom")


def _beside_function(tool: JsonMapping) -> JsonObject:
    """What a function says that no other vendor knows; of other tools nothing: they are kept whole."""
    return surplus(tool, _TOOL_KEYS) if _is_function(tool) else {}


def _choice(choice: JsonValue, result: JsonObject, rest: JsonObject) -> None:
    """Which tools may be called. A choice of one that other vendors do not have is Anthropic's alone."""
    if not isinstance(choice, Mapping):
        return
    kind = choice.get("type")
    functions = [tool["function"].get("name") for tool in result.get("tools", ()) if "function" in tool]
    if kind == "tool" and choice.get("name") in functions:
        result["tool_choice"] = {"type": "function", "function": {"name": choice.get("name")}}
    elif kind in ("auto", "none", "any"):
        result["tool_choice"] = "required" if kind == "any" else kind
    else:
        rest["tool_choice"] = choice
    if "disable_parallel_tool_use" in choice:
        result["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]


def _output(body: JsonMapping, result: JsonObject, rest: JsonObject) -> None:
    """How hard to think, and in which form to answer."""
    config = body.get("output_config")
    config = dict(config) if isinstance(config, Mapping) else {}
    form = config.get("format")
    if isinstance(form, Mapping) and set(form) == {"type", "schema"} and form["type"] == "json_schema":
        schema = {"name": "output", "schema": config.pop("format")["schema"], "strict": True}
        result["response_format"] = {"type": "json_schema", "json_schema": schema}
    thought = body.get("thinking")
    kind = thought.get("type") if isinstance(thought, Mapping) else None
    effort = config.pop("effort", None)
    if kind == "disabled" and effort is not None:
        config["effort"] = effort  # elsewhere it would say how hard to think, and nobody is to
    elif isinstance(effort, str):
        result["reasoning_effort"] = effort
    elif kind == "enabled" and isinstance(thought, Mapping) and isinstance(thought.get("budget_tokens"), int):
        budget = thought["budget_tokens"]
        result["reasoning_effort"] = next((word for most, word in _BUDGET_EFFORTS if budget <= most), "high")
    if thought is not None and kind not in ("enabled", "adaptive"):
        rest["thinking"] = thought
    if config:
        rest["output_config"] = config
