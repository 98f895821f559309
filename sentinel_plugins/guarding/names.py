"""Names of members that became equal where values in them were replaced: of equal ones only one keeps what it names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final, TypeAlias

import msgspec

from sentinel_core.dialects.slots import JSON, KEY
from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.messages import Path, TextSlot

_BRACE_OR_STRING: Final = re.compile(r'[{}]|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A string that nobody closes ends with the text: looked for behind each of its quotes, it takes quadratic time."""
_COLON: Final = re.compile(r"\s*:")
_Taken: TypeAlias = dict[str, int]
"""The names of an object, each with the number that was last put behind it."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(str).decode


def apart(
    body: JsonMapping, slots: Iterable[TextSlot], changes: Mapping[Path, str], json: Collection[str] = ()
) -> dict[Path, str]:
    """The changes of a body's texts, with a number behind a name that its object has already: among the body's members,
    in what is read as one text, and in kinds of text that are `json`. What a schema requires is named as its properties
    are."""
    changed = dict(changes)
    names: dict[Path, _Taken] = {}
    required: dict[Path, Path] = {}
    for slot in slots if changes else ():
        path = slot.path
        if path not in changes or not isinstance(path[0], str):
            continue
        if slot.kind == "key":
            taken = names.get(path[:-2])
            if taken is None:
                taken = names[path[:-2]] = _kept(body, path[:-2], changes)
            changed[path] = _new(changes[path], taken)
        elif path[-1] == JSON or slot.kind in json:
            text = names_apart(changes[path])
            if text != changes[path] and names_apart(slot.text) == slot.text:
                changed[path] = text
        elif path[-2:-1] == ("required",):
            required[path] = (*path[:-2], "properties", KEY, slot.text)
    return changed | {path: changed[name] for path, name in required.items() if changes.get(name) == changes[path]}


def names_apart(text: str) -> str:
    """JSON with a number behind each name that its object has already. What is no JSON is read as far as it is."""
    out: list[str] = []
    at, objects = 0, list[_Taken]()
    for found in _BRACE_OR_STRING.finditer(text):
        said = found.group()
        if said == "{":
            objects.append({})
        elif said == "}":
            del objects[-1:]
        elif objects and _COLON.match(text, found.end()):
            name = _meaning(said)
            if (new := _new(name, objects[-1])) != name:
                out += text[at : found.start()], _encode(new).decode()
                at = found.end()
    return "".join((*out, text[at:]))


def _new(name: str, taken: _Taken) -> str:
    """The name, or with a number one that is not taken; it is taken then."""
    new = name
    while new in taken:
        taken[name] += 1
        new = f"{name}_{taken[name]}"
    taken[new] = 1
    return new


def _kept(body: JsonValue, path: Path, changes: Mapping[Path, str]) -> _Taken:
    """The names of an object's members that stay what they are."""
    for step in path:
        body = body[step]
    return {name: 1 for name in body if (*path, KEY, name) not in changes}


def _meaning(written: str) -> str:
    try:
        return _decode(written)
    except msgspec.DecodeError:  # half of a surrogate pair
        return written[1:-1]
