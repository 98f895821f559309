"""A plugin's table: raw until somebody knows the Struct that describes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from sentinel_core.config.aliases import kind_of
from sentinel_core.config.convert import convert_table
from sentinel_core.config.document import Document, Steps
from sentinel_core.config.envtext import plain
from sentinel_core.config.secret import SecretReader
from sentinel_core.errors import ConfigProblem

S = TypeVar("S", bound=msgspec.Struct)


class PluginTable:
    """`[stages.<name>]`, `[providers.<name>]`, `[state]` or `[records]`. Its values are not shown: some are secrets."""

    def __init__(self, document: Document, steps: Steps, kind: str, secrets: SecretReader) -> None:
        self._document = document
        self._secrets = secrets
        self.steps = steps
        self.kind = kind
        """What names the plugin: the stage's name, or the table's `kind`."""
        self.value: msgspec.Struct | None = None
        """What `convert` made of it, for `Settings.effective`."""

    @property
    def name(self) -> str:
        """The table's name as the file has it: `stages.pii`, `state`."""
        return ".".join(map(str, self.steps))

    @property
    def enabled(self) -> bool:
        """False only where the table says `enabled = false`: then nothing of it is loaded or checked."""
        return plain(self._document.get(*self.steps, "enabled")) is not False

    def convert(self, struct: type[S]) -> tuple[S | None, list[ConfigProblem]]:
        """The table as the plugin's Struct, or None and every problem."""
        value, problems = convert_table(self._document, self.steps, struct, self._secrets)
        self.value = value
        return value, problems

    def __repr__(self) -> str:
        return f"PluginTable([{self.name}], kind={self.kind!r})"


def stage_tables(document: Document, names: Iterable[str], secrets: SecretReader) -> dict[str, PluginTable]:
    """The named tables below `[stages]`."""
    return {name: PluginTable(document, ("stages", name), name, secrets) for name in names}


def provider_tables(document: Document, names: Iterable[str], secrets: SecretReader) -> dict[str, PluginTable]:
    """The named tables below `[providers]`."""
    places = {name: ("providers", name) for name in names}
    return {
        name: PluginTable(document, steps, kind_of(document, steps, name), secrets) for name, steps in places.items()
    }


def store_table(document: Document, section: str, secrets: SecretReader) -> PluginTable:
    """`[state]` or `[records]`; `kind` defaults to `memory`."""
    return PluginTable(document, (section,), kind_of(document, (section,), "memory"), secrets)
