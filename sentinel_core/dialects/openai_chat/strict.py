"""Translated requests for OpenAI's strict mode, which takes some schemas only.

Other vendors hold an answer, or a tool's input, to any schema. OpenAI refuses one with an object that is open, or that
does not require each of its properties, and with words that it cannot hold to: such a schema is told without `strict`.

Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sentinel_core.dialects.openai_chat import canonical
from sentinel_core.dialects.translation import Translated
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_NAMED = ("properties", "$defs", "definitions")
_LISTED = ("anyOf", "prefixItems")
_NOT_HELD = frozenset({"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"})


def request_body(body: JsonMapping, model: str) -> Translated:
    """The canonical request for an upstream that takes OpenAI's fields, and what it cannot be told or held to."""
    made, dropped = canonical.request_body(body, model)
    changes: JsonObject = {}
    names: list[str] = []
    form = made.get("response_format")
    schema = form.get("json_schema") if isinstance(form, Mapping) else None
    if isinstance(schema, Mapping) and _is_loose(schema, "schema"):
        changes["response_format"] = {**made["response_format"], "json_schema": {**schema, "strict": False}}
        names.append("response_format.json_schema.strict")
    tools = made.get("tools") or ()
    loose = [_is_loose(tool["function"], "parameters") if tool.get("function") else False for tool in tools]
    if any(loose):
        changes["tools"] = [_told(tool) if is_loose else tool for tool, is_loose in zip(tools, loose, strict=True)]
        names.append("tools.strict")
    return Translated({**made, **changes}, (*dropped, *names)) if changes else Translated(made, dropped)


def _told(tool: JsonMapping) -> JsonMapping:
    return {**tool, "function": {**tool["function"], "strict": False}}


def _is_loose(holder: JsonMapping, key: str) -> bool:
    """Whether something is to be held to a schema that cannot be held to."""
    schema = holder.get(key)
    return bool(holder.get("strict")) and isinstance(schema, Mapping) and not is_strict(schema)


def is_strict(schema: JsonMapping) -> bool:
    """Whether each object of the schema is closed and requires all its properties, and no word stands in it that the
    strict mode does not know."""
    if "properties" in schema or "object" in _types(schema):
        properties, required = schema.get("properties") or {}, schema.get("required") or []
        if schema.get("additionalProperties") is not False or not isinstance(required, list):
            return False
        if len(required) != len(properties) or any(name not in required for name in properties):
            return False
    return _NOT_HELD.isdisjoint(schema) and all(map(is_strict, _below(schema)))


def _types(schema: JsonMapping) -> tuple[JsonValue, ...]:
    kind = schema.get("type")
    return tuple(kind) if isinstance(kind, list) else (kind,)


def _below(schema: JsonMapping) -> Iterator[JsonMapping]:
    """The schemas that are part of this one."""
    groups = [schema[key].values() for key in _NAMED if isinstance(schema.get(key), Mapping)]
    groups += [schema[key] for key in _LISTED if isinstance(schema.get(key), list)]
    for group in (*groups, (schema.get("items"),)):
        yield from (one for one in group if isinstance(one, Mapping))
