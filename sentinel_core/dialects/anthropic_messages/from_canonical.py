"""OpenAI's chat requests as Messages requests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sentinel_core.dialects.anthropic_messages import thinking
from sentinel_core.dialects.anthropic_messages.calls import ANY_INPUT, called_tools, taken_id, tool_use
from sentinel_core.dialects.anthropic_messages.content import block_of, own_extension
from sentinel_core.dialects.anthropic_messages.models import Abilities, abilities
from sentinel_core.dialects.anthropic_messages.schemas import taken
from sentinel_core.dialects.anthropic_messages.words import EXTENSION
from sentinel_core.dialects.openai_chat.only_here import only_here
from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.dialects.openai_chat.silent import says_nothing
from sentinel_core.dialects.translation import Translated
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_SYSTEM = frozenset({"system", "developer"})
_IGNORED = frozenset({"stream_options", "tool_choice", "parallel_tool_calls", EXTENSION})
"""Fields that are handled with others."""
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 32_768, "max": 32_768}
_EFFORTS = {"minimal": "low"} | {word: word for word in ("low", "medium", "high", "xhigh", "max")}
_MIN_BUDGET = 1024
_FOR_THE_ANSWER = 1000
"""Tokens that a budget for thoughts leaves."""
_PERSONAL = re.compile(r"[^@\s]+@[^@\s]+|\+?[\d\s()./-]{7,}")
"""An e-mail address or a phone number: Anthropic asks not to be sent any as a user id."""
_SAMPLING = ("temperature", "top_p", "top_k")
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}


def request_body(body: JsonMapping, model: str) -> Translated:
    """The request, and the names of what Anthropic cannot be told. Raises `Refusal` for messages that make no sense."""
    writer = _Writer(body, model)
    return Translated(writer.write(), tuple(dict.fromkeys([*writer.dropped, *only_here(body)])))


class _Writer:
    """Writes one request and notes what it has to leave out."""

    def __init__(self, body: JsonMapping, model: str) -> None:
        self._body = body
        self._can: Abilities = abilities(model)
        self._model = model
        self.dropped: list[str] = []

    def write(self) -> JsonObject:
        body, kept = self._body, self._kept()
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or self._can.max_tokens
        result: JsonObject = {"model": self._model, "max_tokens": limit}
        rules = [message for message in body["messages"] if message["role"] in _SYSTEM]
        system = [block for message in rules for block in self._blocks(message.get("content"))]
        if system:
            plain = len(system) == 1 and set(system[0]) == {"type", "text"}
            result["system"] = system[0]["text"] if plain else system
        result["messages"] = self._turns()
        if body.get("tools"):
            result["tools"] = [tool for tool in map(self._tool, body["tools"]) if tool is not None]
        for key, value in body.items():
            if value is not None and key not in _DONE:
                self._field(key, value, result)
        self._choice(result)
        self._declare(result)
        self._form(result, kept)
        self._think(result, kept)
        return {**result, **kept}

    def _kept(self) -> JsonObject:
        """Anthropic's own fields. What the gateway has checked elsewhere has no second place here."""
        own = own_extension(self._body) or {}
        self.dropped += [key for key in own if key in _CHECKED]
        return {key: value for key, value in own.items() if key not in _CHECKED and key != "anthropic_beta"}

    def _field(self, key: str, value: JsonValue, result: JsonObject) -> None:
        if key == "stream":
            result["stream"] = value
        elif key in _SAMPLING:
            self._sampling(key, value, result)
        elif key == "stop":
            self._stop([value] if isinstance(value, str) else value, result)
        elif key == "user" and isinstance(value, str) and not _PERSONAL.fullmatch(value):
            result["metadata"] = {"user_id": value}
        elif key == "service_tier" and value in ("auto", "default"):
            result["service_tier"] = "auto" if value == "auto" else "standard_only"
        elif key not in _IGNORED and not says_nothing(key, value):
            self.dropped.append(key)

    def _sampling(self, key: str, value: float, result: JsonObject) -> None:
        clashes = key == "top_p" and not self._can.both_samplings and self._body.get("temperature") is not None
        if not self._can.sampling or clashes:
            self.dropped.append(key)
            return
        if key == "temperature" and value > 1:
            self.dropped.append(key)  # told, but not as it was asked
            value = 1
        result[key] = value

    def _stop(self, stops: Sequence[JsonValue], result: JsonObject) -> None:
        said = [stop for stop in stops if isinstance(stop, str) and stop.strip()]
        if len(said) < len(stops):
            self.dropped.append("stop")
        if said:
            result["stop_sequences"] = said

    def _choice(self, result: JsonObject) -> None:
        """Which tools may be called. The flag against parallel calls stands in a choice, but not in `none`."""
        asked = self._body.get("tool_choice")
        choice: JsonObject | None = None
        if isinstance(asked, str) and asked in _CHOICES:
            choice = {"type": _CHOICES[asked]}
        elif isinstance(asked, Mapping) and isinstance(asked.get("function"), Mapping):
            choice = {"type": "tool", "name": asked["function"].get("name")}
        elif asked is not None:
            self.dropped.append("tool_choice")
        parallel = self._body.get("parallel_tool_calls")
        if parallel is not None and result.get("tools") and (choice is None or choice["type"] != "none"):
            choice = choice or {"type": "auto"}
            choice["disable_parallel_tool_use"] = not parallel
        if choice is not None and result.get("tools"):
            result["tool_choice"] = choice

    def _declare(self, result: JsonObject) -> None:
        """The tools that the conversation calls, where the client offers none any more."""
        called = [] if result.get("tools") else called_tools(result["messages"])
        if called:
            result["tools"] = called
            result["tool_choice"] = {"type": "none"}

    def _form(self, result: JsonObject, kept: JsonObject) -> None:
        form = self._body.get("response_format")
        kind = form.get("type") if isinstance(form, Mapping) else None
        schema = form.get("json_schema") if isinstance(form, Mapping) else None
        if kind == "json_schema" and isinstance(schema, Mapping) and self._can.schema:
            bound = self._schema(schema.get("schema") or {}, "response_format")
            made = {"format": {"type": "json_schema", "schema": bound}}
            result["output_config"] = {**kept.pop("output_config", {}), **made}
        elif form is not None and kind != "text":
            self.dropped.append("response_format")

    def _schema(self, schema: JsonMapping, name: str) -> JsonObject:
        """A schema that the answer or a tool's input is bound to, as far as it can be."""
        found, exact = taken(schema)
        if not exact:
            self.dropped.append(name)
        return found

    def _think(self, result: JsonObject, kept: JsonObject) -> None:
        """How hard to think. No model may while a tool is forced; one that does is sampled as Anthropic samples it."""
        effort = self._body.get("reasoning_effort")
        if effort in (None, "none") or "thinking" in kept:
            return
        budget = min(_BUDGETS.get(effort, 0), result["max_tokens"] - _FOR_THE_ANSWER)
        forced = result.get("tool_choice", {}).get("type") in ("any", "tool")
        if self._can.thinking == "adaptive" and effort in _EFFORTS and not forced:
            config = {**kept.pop("output_config", {}), **result.get("output_config", {})}
            result["output_config"] = {**config, "effort": _EFFORTS[effort]}
            result["thinking"] = {"type": "adaptive"}
        elif (
            self._can.thinking == "budget"
            and budget >= _MIN_BUDGET
            and not (forced or thinking.is_missing(result["messages"]))
        ):
            result["thinking"] = {"type": "enabled", "budget_tokens": budget}
        else:
            self.dropped.append("reasoning_effort")
            return
        for name in _SAMPLING:
            if name in result and (name, result[name]) != ("temperature", 1):
                del result[name]
                self.dropped.append(name)

    def _turns(self) -> list[JsonObject]:
        """The conversation. Results of tools that stand side by side are one turn, with what the user then says. Raises
        `Refusal` where nobody says anything."""
        turns: list[JsonObject] = []
        for index, message in enumerate(self._body["messages"]):
            role = message["role"]
            if role in _SYSTEM:
                continue
            if role == "tool":
                if not _ends_in_results(turns):
                    turns.append({"role": "user", "content": []})
                turns[-1]["content"].append(self._result(message))
            elif role == "assistant":
                turns.append({"role": "assistant", "content": self._assistant(message, index)})
            elif role == "user":
                self._user(message, turns)
            else:
                raise invalid(f"messages[{index}].role", f"The model's API knows no role {role!r}.")
        spoken = [turn for turn in turns if _says_something(turn["content"])]
        if not spoken:
            raise invalid("messages", "The model's API needs a message of a user that says something.")
        return spoken

    def _user(self, message: JsonMapping, turns: list[JsonObject]) -> None:
        content = message.get("content")
        if _ends_in_results(turns):
            turns[-1]["content"] += self._blocks(content)
        else:
            turns.append({"role": "user", "content": content if isinstance(content, str) else self._blocks(content)})

    def _assistant(self, message: JsonMapping, index: int) -> JsonValue:
        kept = own_extension(message) or {}
        reasoning = message.get("reasoning_content") or ""
        blocks = thinking.joined(reasoning, kept.get(thinking.BLOCKS)) or []
        content = message.get("content") or message.get("refusal")
        said = self._blocks(content)
        calls = [
            tool_use(call, f"messages[{index}].tool_calls[{number}]")
            for number, call in enumerate(message.get("tool_calls") or ())
        ]
        if not blocks and not calls and isinstance(content, str):
            return content
        return [*blocks, *said, *calls]

    def _result(self, message: JsonMapping) -> JsonObject:
        content = message.get("content")
        shown = content if isinstance(content, str) else self._blocks(content)
        block = {"type": "tool_result", "tool_use_id": taken_id(message.get("tool_call_id")), "content": shown}
        return {**(own_extension(message) or {}), **block}

    def _blocks(self, content: JsonValue) -> list[JsonObject]:  # a string, a list of parts, or None
        """A message's content as blocks. Text of nothing but space is left out: the API refuses it, and it says
        nothing."""
        if isinstance(content, str) or content is None:
            return [{"type": "text", "text": content}] if _says_something(content) else []
        blocks = []
        for part in content:
            block = block_of(part) if isinstance(part, Mapping) else None
            if block is None:
                kind = part.get("type") if isinstance(part, Mapping) else None
                self.dropped.append(f"messages.{kind}")
            elif block.get("type") != "text" or _says_something(block.get("text")):
                blocks.append(block)
        return blocks

    def _tool(self, tool: JsonMapping) -> JsonObject | None:
        kept = own_extension(tool)
        function = tool.get("function")
        if not isinstance(function, Mapping):
            if kept is None:
                self.dropped.append(f"tools.{tool.get('type')}")
            return dict(kept) if kept is not None else None
        made: JsonObject = {key: function[key] for key in ("name", "description") if function.get(key) is not None}
        made["input_schema"] = function.get("parameters") or ANY_INPUT
        strict = function.get("strict")
        if strict and not self._can.schema:
            self.dropped.append("tools.strict")
        elif strict is not None and self._can.schema:
            made["strict"] = strict
            if strict:
                made["input_schema"] = self._schema(made["input_schema"], "tools.function.parameters")
        cached = {"cache_control": tool["cache_control"]} if "cache_control" in tool else {}
        return {**(kept or {}), **made, **cached}


_CHECKED = frozenset({"model", "messages", "system", "max_tokens", "stream", "stop_sequences", "tools"})
"""Fields that are written from the canonical ones, or not at all."""
_DONE = frozenset(
    {
        *("model", "messages", "tools", "max_tokens", "max_completion_tokens"),
        *("response_format", "reasoning_effort"),
    }
)


def _says_something(content: Any) -> bool:  # a text, or blocks
    return bool(content.strip() if isinstance(content, str) else content)


def _ends_in_results(turns: Sequence[JsonMapping]) -> bool:
    """Whether the last turn is made of tools' results so far."""
    content = turns[-1]["content"] if turns and turns[-1]["role"] == "user" else None
    return isinstance(content, list) and bool(content) and content[-1]["type"] == "tool_result"
