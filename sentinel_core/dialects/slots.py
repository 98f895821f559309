"""Walking and patching JSON: where the strings of a body are, and a copy of the body with other strings there."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final, TypeAlias

import msgspec

from sentinel_core.json_types import JsonValue

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: object keys and array indexes from the root. An object key itself is at `(*parents, KEY, key)`, the
JSON of a whole value at `(*value, JSON)`."""

SCALARS: Final = frozenset({int, float, bool, type(None)})
"""Types of decoded JSON without a string in them: most members of a body."""

OBJECTS: Final = (dict, Mapping)
"""For `isinstance` of a JSON object: with the usual class first it takes a fifth of the time."""

KEY: Final = -1
"""Marks an object key in a path. A number that is no index, because any string may be a key that a caller chose."""

JSON: Final = -2
"""Marks, likewise, a value that is read as one text: its JSON."""

OWN: Final = frozenset({"arguments", "input_schema", "metadata", "parameters", "schema", "variables"})
"""Keys of formats below which callers and models choose the keys: `id` is no identifier of the format there."""
_SCHEMA_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
"""What `type` says in a JSON Schema (draft 2020-12, validation, section 6.1.1): most strings of a tool's parameters."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class TextSlot(msgspec.Struct, frozen=True):
    """One string of a body that a guard reads.

    `role` is who wrote it (system, user, assistant, tool, or None); `kind` is `content`, `reasoning`, `refusal`,
    `tool_arguments` (JSON), `tool_input` (free text that a tool is called with), `key` (an object key) or `other`.
    """

    path: Path
    text: str
    role: str | None = None
    kind: str = "other"


def string_slots(
    value: JsonValue,
    path: Path = (),
    *,
    role: str | None = None,
    kind: str = "other",
    skip: Container[str] = (),
    known: Container[str] = (),
) -> list[TextSlot]:
    """Every string leaf below `value`, in document order, and every object key that is not in `known`.

    Strings under a key in `skip` (identifiers, enums of the format) are left out; objects and lists there are none, and
    are walked. Below a key that is not in `known`, or is one of `OWN`, nothing is an identifier.
    """
    if isinstance(value, str):
        return [TextSlot(path, value, role, kind)]
    if value.__class__ in SCALARS:
        return []
    found: list[TextSlot] = []
    own = next((_is_own(key, known) for key in reversed(path) if isinstance(key, str)), False)
    stack: list[tuple[JsonValue, Path, bool]] = [(value, path, own)]
    while stack:
        node, at, own = stack.pop()
        if isinstance(node, str):
            found.append(TextSlot(at, node, role, kind))
        elif isinstance(node, dict):
            for key in reversed(node):
                below = node[key]
                if below.__class__ not in SCALARS and not (key in skip and _is_identifier(below, own)):
                    stack.append((below, (*at, key), own or _is_own(key, known)))
                if key not in known:
                    stack.append((_KeyName(key), (*at, KEY, key), own))
        elif isinstance(node, list):
            stack.extend((node[index], (*at, index), own) for index in reversed(range(len(node))))
        elif isinstance(node, _KeyName):
            found.append(TextSlot(at, node.name, role, "key"))
    return found


def is_option(key: str, value: JsonValue, options: Container[str], words: Container[str]) -> bool:
    """Whether a field of a request says which of the format's words it is to be, or which model."""
    if key == "model":
        return isinstance(value, str)
    said = value if isinstance(value, list) else (value,)
    return key in options and all(isinstance(word, str) and word in words for word in said)


def _is_own(key: str, known: Container[str]) -> bool:
    return key not in known or key in OWN


def _is_identifier(value: JsonValue, own: bool) -> bool:
    """Whether what stands under an identifier's name is one; among a caller's own keys only the types of schemas."""
    return isinstance(value, str) and (not own or value in _SCHEMA_TYPES)


def json_slot(
    value: JsonValue,
    path: Path,
    *,
    role: str | None = None,
    kind: str = "other",
) -> list[TextSlot]:
    """A value as one text, in which a guard reads numbers as well, and each string behind its key; none if it is empty.

    A value with halves of surrogate pairs, which has no such text, is read string by string.
    """
    if not isinstance(value, Mapping | list):
        return string_slots(value, path, role=role, kind=kind)
    try:
        return [TextSlot((*path, JSON), _encode(value).decode(), role, kind)] if value else []
    except UnicodeEncodeError:
        return string_slots(value, path, role=role, kind=kind)


class _KeyName:
    """Marks an object key on the walk's stack, where a plain string would read as a value."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def patched(body: JsonValue, texts: Mapping[Path, str]) -> JsonValue:
    """A copy of `body` with other strings at these paths. Untouched branches are shared, key order is kept.

    Paths name places of `body` as it is, so keys may swap names; of keys that become equal the last one counts.
    Raises KeyError if a path does not exist: a guard that replaces text at a place that is not there is mistaken.
    """
    renames: dict[Path, dict[str | int, str]] = {}
    copied: dict[Path, JsonValue] = {(): _copy(body, ())}
    for path, text in texts.items():
        if path and path[-1] == JSON:
            parent = _open(copied, path[:-2])
            _lookup(parent, path[:-1])
            parent[path[-2]] = _said(text)
            continue
        is_key = len(path) > 1 and path[-2] == KEY
        parent = _open(copied, path[:-2] if is_key else path[:-1])
        _lookup(parent, path)
        if is_key:
            renames.setdefault(path[:-2], {})[path[-1]] = text
        else:
            parent[path[-1]] = text
    for at, names in renames.items():
        parent = copied[at]
        items = [(names.get(key, key), value) for key, value in parent.items()]
        parent.clear()
        parent.update(items)
    return copied[()]


def _said(text: str) -> JsonValue:
    """What a value's text says. No text is an empty object, as in streams; what is no JSON any more, or nests
    too deeply, stays a text: what was taken out of it must stay out."""
    try:
        return _decode(text) if text.strip() else {}
    except (msgspec.DecodeError, RecursionError):
        return text


def _open(copied: dict[Path, JsonValue], path: Path) -> JsonValue:
    """The private copy of the container at `path`, made with its parents on first use."""
    if path in copied:
        return copied[path]
    parent = _open(copied, path[:-1])
    _lookup(parent, path)
    fresh = _copy(parent[path[-1]], path)
    parent[path[-1]] = fresh
    copied[path] = fresh
    return fresh


def _copy(container: JsonValue, path: Path) -> JsonValue:
    if isinstance(container, Mapping):
        return dict(container)
    if isinstance(container, list):
        return list(container)
    raise KeyError(f"no such slot: nothing is below {path!r}")


def _lookup(parent: JsonValue, path: Path) -> None:
    try:
        parent[path[-1]]
    except (KeyError, IndexError, TypeError) as exc:
        raise KeyError(f"no such slot: {path!r}") from exc
