"""Types and values in the words of people: what would work, and what was found."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from sentinel_core.config.secret import Secret
from sentinel_core.json_types import TomlValue

MAX_SHOWN_CHARS = 60

_CREDENTIALS = re.compile(r"(?<=//)[^/\s@]*@")
_BEHIND_ADDRESS = re.compile(r"(//[^\s?#]*[?#]|\?(?=[^\s=]+=))\S.*", re.DOTALL)
_ABSENT = (type(None), msgspec.UnsetType)
_NAMES: dict[object, str] = {
    int: "an integer",
    float: "a number",
    str: "a string",
    bool: "true or false",
    dict: "a table",
    Mapping: "a table",
    Secret: '{ env = "NAME" } or { file = "path" }',
}


def unwrap(annotation: Any) -> tuple[Any, tuple[msgspec.Meta, ...]]:  # annotations have no common type
    """A type without `Annotated`, and the constraints that were in it."""
    if get_origin(annotation) is Annotated:
        bare, *extras = get_args(annotation)
        return bare, tuple(extra for extra in extras if isinstance(extra, msgspec.Meta))
    return annotation, ()


def members(annotation: Any) -> tuple[Any, ...]:  # annotations have no common type
    """The types of a union, still annotated; a type that is none is its own only member."""
    bare, _ = unwrap(annotation)
    return get_args(bare) if get_origin(bare) in (Union, types.UnionType) else (annotation,)


def choices(annotation: Any) -> tuple[Any, ...]:  # values of a Literal or an Enum
    """The values of a closed set; empty for every other type."""
    bare, _ = unwrap(annotation)
    if get_origin(bare) is Literal:
        return get_args(bare)
    if isinstance(bare, type) and issubclass(bare, Enum):
        return tuple(member.value for member in bare)
    return ()


def describe(annotation: Any) -> str:  # annotations have no common type
    """What a value of this type looks like in TOML."""
    words = [_describe_one(member) for member in members(annotation) if member not in _ABSENT]
    return " or ".join(words)


def _describe_one(annotation: Any) -> str:  # annotations have no common type
    bare, metas = unwrap(annotation)
    for meta in metas:
        if meta.description:
            return meta.description
    if values := choices(annotation):
        return " or ".join(show(value) for value in values)
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        return "a table"
    origin = get_origin(bare) or bare
    if origin in (list, tuple, set, frozenset):
        items = [arg for arg in get_args(bare)[:1] if arg is not Any]  # everything is no expectation
        return "a list" + "".join(f" of ({describe(item)})" for item in items) + _limits(metas)
    return _NAMES.get(origin, getattr(origin, "__name__", "another value")) + _limits(metas)


def _limits(metas: tuple[msgspec.Meta, ...]) -> str:
    words = []
    for meta in metas:
        bounds = ((">=", meta.ge), (">", meta.gt), ("<=", meta.le), ("<", meta.lt))
        words += [f"{sign} {bound}" for sign, bound in bounds if bound is not None]
        words += [f"of length >= {meta.min_length}"] if meta.min_length is not None else []
        words += [f"of length <= {meta.max_length}"] if meta.max_length is not None else []
        words += [f"matching {meta.pattern}"] if meta.pattern is not None else []
    return "".join(f" {word}" for word in words)


def found(value: TomlValue, annotation: Any) -> str:  # annotations have no common type
    """What stands where `annotation` should.

    Where a table or a list belongs, a string may be anything, a misplaced API key included: only its kind is named.
    """
    asked = [unwrap(member)[0] for member in members(annotation)]
    plain = any(kind in (str, int, float, bool) or choices(kind) for kind in asked)
    return show(value) if plain or not isinstance(value, str) else "a string"


def show(value: TomlValue) -> str:
    """A plain value as TOML, shortened; credentials in a URL are masked and its query is left out, for keys stand in
    both. Containers are only named."""
    match value:
        case None:
            return "(none)"
        case bool():
            return str(value).lower()
        case str():
            safe = _BEHIND_ADDRESS.sub(r"\1…", _CREDENTIALS.sub("***@", value))
            text = json.dumps(safe, ensure_ascii=False)
            return text if len(text) <= MAX_SHOWN_CHARS else text[:MAX_SHOWN_CHARS] + "…"
        case int() | float():
            return repr(value)
        case Mapping():
            return "a table"
        case list() | tuple() | set() | frozenset():
            return "a list"
        case Enum():
            return show(value.value)
    return f"a {type(value).__name__}"
