"""A request as one host takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sentinel_core.dialects.openai_chat.extensions import without_extensions
from sentinel_core.dialects.openai_chat.short_ids import with_short_ids
from sentinel_core.dialects.openai_chat.silent import says_nothing
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_plugins.providers.openai.hosts.host import RequestRules
from sentinel_plugins.providers.openai.hosts.messages import adapted
from sentinel_plugins.providers.openai.hosts.tool_ids import ToolIds
from sentinel_plugins.providers.openai.model_rules import within_model_rules

_encode = msgspec.json.Encoder().encode


class Adapted:
    """The body for one call, what was left out of it, and the ids that were shortened."""

    __slots__ = ("body", "left_out", "tool_ids")

    def __init__(self, rules: RequestRules, body: JsonMapping, model: str, *, translated: bool = False) -> None:
        self.left_out: list[str] = []
        self.tool_ids: ToolIds | None = None
        if not rules.extensions:
            body, self.left_out = without_extensions(body)
        if rules.openai_models and translated:
            body, refused = within_model_rules(body)
            self.left_out += refused
        self.body: JsonMapping = self._top(rules, body, _refused(rules, model))
        if rules.messages is not None:
            messages = adapted(rules.messages, self.body.get("messages", ()), self.left_out)
            self.body = {**self.body, "messages": messages}
        if rules.short_tool_ids:
            self._shorten()
        if rules.openai_tool_ids:
            self.body = with_short_ids(self.body)
        if rules.schema_in_words:
            self._schema_in_words()
        if rules.tool_by_filter:
            self.body = _tool_by_filter(self.body)
        if rules.typed_unions:
            self.body = _typed_unions(self.body)

    def _top(self, rules: RequestRules, body: JsonMapping, refused: frozenset[str]) -> JsonObject:
        """The parameters in their order, without what the host refuses."""
        result: JsonObject = {}
        for name, value in body.items():
            if name in refused:
                if not says_nothing(name, value):
                    self.left_out.append(name)
                continue
            if name in rules.unneeded:
                continue
            if name in rules.fixed:
                if value not in (None, rules.fixed[name]):
                    self.left_out.append(name)
                continue
            if _is_said_already(rules, body, name):
                continue
            renamed, nearest = rules.rename.get(name, name), rules.values.get(name)
            plain = nearest is not None and isinstance(value, str | int | float)
            result[renamed] = nearest.get(value, value) if nearest is not None and plain else value
        return result

    def _shorten(self) -> None:
        messages = self.body.get("messages", ())
        found = frozenset(_ids(messages))
        if not found:
            return
        self.tool_ids = ToolIds(found)
        self.body = {**self.body, "messages": [_shortened(message, self.tool_ids) for message in messages]}

    def _schema_in_words(self) -> None:
        """JSON is asked for by that name: a host that takes no schema wants to find it in the conversation."""
        form = self.body.get("response_format")
        if not isinstance(form, Mapping) or form.get("type") != "json_schema":
            return
        self.left_out.append("response_format")
        told = {"role": "system", "content": _words_of(form.get("json_schema"))}
        messages = [told, *self.body.get("messages", ())]
        self.body = {**self.body, "messages": messages, "response_format": {"type": "json_object"}}


def _words_of(wrapped: JsonValue) -> str:
    schema = wrapped.get("schema") if isinstance(wrapped, Mapping) else None
    if not isinstance(schema, Mapping):
        return "Answer in JSON."
    return f"Answer in JSON that fits this schema: {_encode(schema).decode()}"


def _is_said_already(rules: RequestRules, body: JsonMapping, name: str) -> bool:
    """Whether a parameter of two words says nothing under this one: it is null, or the host's own word says it."""
    own = rules.rename.get(name)
    if own is None and name not in rules.rename.values():
        return False
    return body[name] is None or (own is not None and body.get(own) is not None)


def _refused(rules: RequestRules, model: str) -> frozenset[str]:
    if rules.reasoning_models is not None and rules.reasoning_models.match(model):
        return rules.unsupported | rules.unsupported_in_reasoning
    return rules.unsupported


def _calls(message: JsonMapping) -> Sequence[JsonValue]:
    calls = message.get("tool_calls")
    return [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else ()


def _ids(messages: Sequence[JsonMapping]) -> list[str]:
    """Every tool-call id of the conversation."""
    found = [message.get("tool_call_id") for message in messages]
    found += [call.get("id") for message in messages for call in _calls(message)]
    return [identifier for identifier in found if isinstance(identifier, str)]


def _shortened(message: JsonMapping, ids: ToolIds) -> JsonMapping:
    if isinstance(message.get("tool_call_id"), str):
        message = {**message, "tool_call_id": ids.short(message["tool_call_id"])}
    if any(isinstance(call.get("id"), str) for call in _calls(message)):
        calls = [_shortened_call(call, ids) for call in message["tool_calls"]]
        message = {**message, "tool_calls": calls}
    return message


def _shortened_call(call: JsonValue, ids: ToolIds) -> JsonValue:
    if isinstance(call, Mapping) and isinstance(call.get("id"), str):
        return {**call, "id": ids.short(call["id"])}
    return call


def _tool_by_filter(body: JsonMapping) -> JsonMapping:
    """A named tool, or several of which some or one may be called, as those tools alone, and `any` where one must be
    called: every model of the host takes that."""
    choice = body.get("tool_choice")
    allowed = choice.get("allowed_tools") if isinstance(choice, Mapping) else None
    chosen = _tools(allowed) if isinstance(allowed, Mapping) else [choice]
    names = {name for tool in chosen if isinstance(name := _function(tool).get("name"), str)}
    tools = [tool for tool in _tools(body) if isinstance(name := _function(tool).get("name"), str) and name in names]
    if not tools:
        return body
    may = isinstance(allowed, Mapping) and allowed.get("mode") != "required"
    return {**body, "tools": tools, "tool_choice": "auto" if may else "any"}


def _typed_unions(body: JsonMapping) -> JsonMapping:
    tools = _tools(body)
    if not any("oneOf" in schema for tool in tools for schema in _properties(tool).values()):
        return body
    return {**body, "tools": [_with_types(tool) for tool in tools]}


def _with_types(tool: JsonValue) -> JsonValue:
    properties = {
        name: {"type": "string", **schema} if "oneOf" in schema else schema
        for name, schema in _properties(tool).items()
    }
    if not properties:
        return tool
    function = _function(tool)
    return {**tool, "function": {**function, "parameters": {**function["parameters"], "properties": properties}}}


def _tools(body: JsonMapping) -> list[JsonValue]:
    tools = body.get("tools")
    return tools if isinstance(tools, list) else []


def _function(tool: JsonValue) -> JsonMapping:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return function if isinstance(function, Mapping) else {}


def _properties(tool: JsonValue) -> JsonMapping:
    """The parameters of a tool by name; empty where any of them is no object, which is then the host's to refuse."""
    parameters = _function(tool).get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, Mapping) else None
    if not isinstance(properties, Mapping) or not all(isinstance(item, Mapping) for item in properties.values()):
        return {}
    return properties
