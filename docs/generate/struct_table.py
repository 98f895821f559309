"""One table of the configuration as a table of the page: keys, types, defaults, and the string below each field."""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

import msgspec

from docs.generate.markdown import table
from docs.generate.source import attributes, class_source
from sentinel_core.config.expectation import describe
from sentinel_core.config.secret import Secret


def struct_table(struct: type[msgspec.Struct], base: type[msgspec.Struct] = msgspec.Struct) -> str:
    """The fields of a Struct that `base` does not have.

    Each must be explained: by the string below it, or by its name in the class's docstring, which then comes first.
    """
    hints = get_type_hints(struct, include_extras=True)
    docs = field_docs(struct)
    about = inspect.cleandoc(struct.__doc__ or "")
    inherited = {field.name for field in msgspec.structs.fields(base)} if base is not msgspec.Struct else set()
    fields = [field for field in msgspec.structs.fields(struct) if field.name not in inherited]
    for field in fields:
        if not docs.get(field.name) and f"`{field.name}`" not in about:
            raise LookupError(f"{struct.__name__}.{field.name} is explained nowhere")
    rows = [
        (f"`{field.encode_name}`", _default(field), describe(hints[field.name]), docs.get(field.name, ""))
        for field in fields
    ]
    if not rows:
        return f"{about}\n"
    if any(docs.get(field.name) for field in fields):
        return f"{about}\n\n{table(('key', 'default', 'takes', 'what it is for'), rows)}"
    return f"{about}\n\n{table(('key', 'default', 'takes'), [row[:3] for row in rows])}"


def field_docs(struct: type[msgspec.Struct]) -> dict[str, str]:
    """The strings below the fields, inherited ones included."""
    docs: dict[str, str] = {}
    for cls in reversed(struct.__mro__):
        module = inspect.getmodule(cls)
        if cls is not msgspec.Struct and issubclass(cls, msgspec.Struct) and module is not None:
            docs |= {item.name: item.doc for item in attributes(class_source(module, cls.__name__))}
    return docs


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "(required)"
    value: Any = field.default_factory() if field.default is msgspec.NODEFAULT else field.default  # any field's value
    match value:
        case None:
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case tuple() | list() | frozenset() | dict():
            return f"`{msgspec.json.encode(value).decode()}`"
        case str():
            return f'`"{value}"`'
        case Secret() | msgspec.Struct():
            return ""
    return f"`{value}`"
