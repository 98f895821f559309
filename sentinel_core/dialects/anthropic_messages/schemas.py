"""JSON schemas as Anthropic takes them for answers in a given form and for strict tools.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs. Every object must be closed. Bounds of
numbers, texts and lists are refused; they go into the description, where the model reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_BOUNDS = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
        *("maxItems", "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties"),
    }
)
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
)
_NAMED = frozenset({"properties", "$defs", "definitions"})
_LISTED = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_encode = msgspec.json.Encoder().encode


class Taken(NamedTuple):
    """A schema as the API takes it, and whether it still binds to all that it said."""

    schema: JsonObject
    exact: bool


def taken(schema: JsonMapping) -> Taken:
    """The schema without what the API refuses. A `oneOf` is an `anyOf`; an object that says nothing of other properties
    than its own has no others, which breaks no promise."""
    writer = _Writer()
    return Taken(writer.write(schema), writer.exact)


class _Writer:
    """Writes one schema and notes whether something is lost."""

    def __init__(self) -> None:
        self.exact = True

    def write(self, schema: JsonMapping) -> JsonObject:
        refused = {key: value for key, value in schema.items() if _is_refused(key, value)}
        result = {key: self._below(key, value) for key, value in schema.items() if key not in refused}
        if refused:
            self.exact = False
            bounds = ", ".join(f"{key}: {_encode(value).decode()}" for key, value in refused.items())
            result["description"] = f"{schema.get('description') or ''} ({bounds})".lstrip()
        if "oneOf" in result and "anyOf" not in result:
            self.exact = False
            result["anyOf"] = result.pop("oneOf")
        if _is_object(schema) and schema.get("additionalProperties") is not False:
            self.exact = self.exact and "additionalProperties" not in schema and bool(schema.get("properties"))
            result["additionalProperties"] = False
        return result

    def _below(self, key: str, value: JsonValue) -> JsonValue:
        if key in _NAMED and isinstance(value, Mapping):
            return {name: self._schema(one) for name, one in value.items()}
        if key in _LISTED and isinstance(value, list):
            return [self._schema(one) for one in value]
        return self._schema(value) if key == "items" else value

    def _schema(self, value: JsonValue) -> JsonValue:
        return self.write(value) if isinstance(value, Mapping) else value


def _is_refused(key: str, value: JsonValue) -> bool:
    if key == "minItems":
        return value not in (0, 1)
    return key in _BOUNDS or (key == "format" and isinstance(value, str) and value not in _FORMATS)


def _is_object(schema: JsonMapping) -> bool:
    kind = schema.get("type")
    return "properties" in schema or kind == "object" or (isinstance(kind, list) and "object" in kind)
