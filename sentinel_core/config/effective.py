"""What is in force and why: every value with its source, for `sentinel check --show`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from sentinel_core.config.document import Document, Steps, dotted
from sentinel_core.config.expectation import show
from sentinel_core.config.fields import fields_of
from sentinel_core.config.secret import Secret
from sentinel_core.json_types import TomlValue


class EffectiveValue(NamedTuple):
    """One setting as it is in force. `value` is TOML, a secret's is its reference; `source` says who set it."""

    table: str
    key: str
    value: str
    source: str


def dump(value: Any) -> TomlValue:  # a Struct's value
    """A Struct as the table that makes it, defaults included: secrets as references, None where nothing is set."""
    match value:
        case Secret():
            return value.reference
        case msgspec.Struct():
            return {key: dump(getattr(value, field.name)) for key, field in fields_of(type(value)).items()}
        case dict():
            return {key: dump(item) for key, item in value.items()}
        case list() | tuple():
            return [dump(item) for item in value]
        case set() | frozenset():
            return sorted(dump(item) for item in value)
        case Enum():
            return value.value
    return value


def effective_values(document: Document, steps: Steps, struct: msgspec.Struct) -> Iterator[EffectiveValue]:
    """The values of one converted table, nested tables one by one."""
    for key, field in fields_of(type(struct)).items():
        here = (*steps, key)
        value = getattr(struct, field.name)
        if isinstance(value, msgspec.Struct):
            yield from effective_values(document, here, value)
        elif isinstance(value, tuple | list) and any(isinstance(item, msgspec.Struct) for item in value):
            for index, item in enumerate(value):
                yield from effective_values(document, (*here, index), item)
        else:
            origin = document.origins.get(here)
            yield EffectiveValue(dotted(steps), key, _shown(value), str(origin) if origin else "default")


def _shown(value: Any) -> str:  # a field's value
    match dump(value):
        case list() as items:
            return f"[{', '.join(_shown(item) for item in items)}]"
        case dict() as table:
            return "{ " + ", ".join(f"{key} = {_shown(item)}" for key, item in table.items()) + " }"
        case plain:
            return show(plain)
