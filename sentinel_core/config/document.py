"""The merged configuration before anybody knows its types: plain tables, and where every value came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sentinel_core.errors import ConfigProblem

Steps: TypeAlias = tuple[str | int, ...]
"""A place in the configuration: table names, a key, indexes of lists."""

_OUTSIDE = ("environment", "option")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who said so: `name` is the file, the environment variable or the option, `note` where that variable was read."""

    kind: Literal["file", "environment", "option", "code"]
    name: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.note})" if self.note else self.name


class Blocked(Exception):
    """A path runs through a value that is not a table or a list."""


class Document:
    """Tables under construction. `put` replaces what was there, so the strongest source is put last."""

    def __init__(self) -> None:
        self.tables: dict[str, Any] = {}  # values of TOML, or EnvText
        self.origins: dict[Steps, Origin] = {}

    def __repr__(self) -> str:
        return f"Document({', '.join(self.tables)})"

    def put(self, steps: Steps, value: Any, origin: Origin) -> None:  # a value of TOML, or EnvText
        """Set the value at `steps`, making tables on the way. Raises `Blocked`."""
        node: Any = self.tables  # Any: a table, or a value below it
        for depth, step in enumerate(steps[:-1], start=1):
            node = self._descend(node, step, steps[:depth], origin)
        last = steps[-1]
        if isinstance(node, list):
            if not isinstance(last, int) or last >= len(node):
                raise Blocked(dotted(steps))
        elif not isinstance(node, dict):
            raise Blocked(dotted(steps[:-1]))
        self._forget(steps)
        node[last] = self._copied(value, steps, origin)

    def get(self, *steps: str | int) -> Any:  # a value of TOML, or EnvText
        """What stands at `steps`; None if nothing does."""
        node: Any = self.tables  # Any: as above
        for step in steps:
            if isinstance(node, dict):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                return None
        return node

    def names(self, section: str) -> list[str]:
        """The tables below a section, by name."""
        tables = self.get(section)
        found = tables.items() if isinstance(tables, dict) else ()
        return [name for name, table in found if isinstance(name, str) and isinstance(table, dict)]

    def origin(self, steps: Steps) -> Origin | None:
        """Who set the value at `steps`, or the nearest table around it."""
        for length in range(len(steps), 0, -1):
            if steps[:length] in self.origins:
                return self.origins[steps[:length]]
        return None

    def outside(self, steps: Steps, text: str) -> str:
        """The variables and options that set whatever keys below a table a text names; empty where none did."""
        below = [
            (known[len(steps) :], origin) for known, origin in self.origins.items() if known[: len(steps)] == steps
        ]
        setters = [
            str(origin) for key, origin in below if key and origin.kind in _OUTSIDE and _names(text, dotted(key))
        ]
        return " and ".join(dict.fromkeys(setters))

    def _descend(self, node: Any, step: str | int, here: Steps, origin: Origin) -> Any:  # values of TOML, or EnvText
        if isinstance(node, dict):
            if step not in node:
                node[step] = {}
                self.origins[here] = origin
            return node[step]
        if isinstance(node, list) and isinstance(step, int) and step < len(node):
            return node[step]
        raise Blocked(dotted(here))

    def _forget(self, steps: Steps) -> None:
        for known in [known for known in self.origins if known[: len(steps)] == steps]:
            del self.origins[known]

    def _copied(self, value: Any, steps: Steps, origin: Origin) -> Any:  # a value of TOML, or EnvText
        self.origins[steps] = origin
        if isinstance(value, Mapping):
            return {key: self._copied(item, (*steps, key), origin) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._copied(item, (*steps, index), origin) for index, item in enumerate(value)]
        return value


def dotted(steps: Steps) -> str:
    """A place as people write it: `models[0].targets`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _names(text: str, key: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.]*\w)", text) is not None


def problem_at(document: Document, steps: Steps, message: str, *, whole: bool = False, **words: str) -> ConfigProblem:
    """A problem with the value at `steps`, naming its source, its table and its key. `whole`: with a table as such, so
    that its source is where the keys that the message names were set, if that is outside of the file."""
    origin = document.origin(steps)
    outside = document.outside(steps, message) if whole else ""
    split = len(steps) - 1
    while split > 0 and isinstance(steps[split], int):
        split -= 1
    if whole or (split == 0 and isinstance(document.get(*steps), dict)):
        split = len(steps)
    return ConfigProblem(
        message,
        where=outside or str(origin or ""),
        table=dotted(steps[:split]),
        key=dotted(steps[split:]),
        **words,
    )
