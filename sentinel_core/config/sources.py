"""The sources of configuration, the weakest first: file, known variables, `SENTINEL__…` overrides, the command line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sentinel_core.config.aliases import KEYED_PROVIDERS, apply_aliases
from sentinel_core.config.document import Blocked, Document, Origin, Steps
from sentinel_core.config.environment import OVERRIDE, Environment
from sentinel_core.config.envtext import EnvText, plain, toml_value
from sentinel_core.config.files import Files, Readable
from sentinel_core.errors import ConfigProblem
from sentinel_core.json_types import TomlTable, TomlValue

FILE_NAME = "sentinel.toml"
STAGES_WITHOUT_FILE = (
    *("metrics", "audit", "usage", "auth"),
    *("rate_limit", "pii", "injection", "routing", "retry", "breaker"),
)
"""What is on where nobody wrote a file."""
WITHOUT_FILE: Mapping[str, TomlValue] = {"stages": {name: {} for name in STAGES_WITHOUT_FILE}}

_OF_ONE_TABLE = frozenset({"enabled", "models", "default_model", "same_as"})
"""What a provider's further keys do not take over from its own table."""

_OVERRIDE = re.compile(r"SENTINEL__[A-Z0-9]+(?:_[A-Z0-9]+)*(?:__[A-Z0-9]+(?:_[A-Z0-9]+)*)*")

_MISSES_ONE = re.compile(r"SENTINEL_[A-Z0-9]+(?:_[A-Z0-9]+)*(?:__[A-Z0-9]+(?:_[A-Z0-9]+)*)+")
"""An override with one underscore where two belong, as other programs have it: it would say nothing, unnoticed."""


class Option(NamedTuple):
    """A key that the command line sets. `name` is how it is written there: `--port`."""

    name: str
    steps: Steps
    value: str | int


def find_file(path: Path | None, environ: Mapping[str, str], files: Files) -> Path | None:
    """The file to read: the one asked for, that of `SENTINEL_CONFIG`, or `./sentinel.toml` if there is one."""
    if path is not None:
        return path
    if environ.get("SENTINEL_CONFIG"):
        return Path(environ["SENTINEL_CONFIG"])
    return Path(FILE_NAME) if files.exists(Path(FILE_NAME)) else None


def read_file(path: Readable) -> tuple[TomlTable, list[ConfigProblem]]:
    """The tables of a TOML file, or why it cannot be read."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig")), []
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:  # its text would quote the file
        message = "is not UTF-8 text"
    except RecursionError:
        message = "is nested too deeply"
    except ValueError as error:
        message = f"is not valid TOML: {error}"
    return {}, [ConfigProblem(message, where=str(path))]


def merge(
    tables: Mapping[str, TomlValue], origin: Origin, environment: Environment, options: Sequence[Option] = ()
) -> tuple[Document, list[ConfigProblem]]:
    """One document of the given tables, the environment and the options."""
    document = Document()
    for name, table in tables.items():
        document.put((name,), table, origin)
    if document.tables.get("providers", {}) == {}:
        _turn_on_keyed_providers(document, environment)
    problems = _apply_overrides(document, environment)
    problems += apply_aliases(document, environment)  # afterwards: a `kind` says which of them mean a table
    _apply_options(document, options)
    _share_tables(document)
    if document.tables.get("providers", {}) == {}:
        document.put(("providers", "echo"), {"kind": "echo"}, Origin("code", "no provider is configured"))
    return document, problems


def _turn_on_keyed_providers(document: Document, environment: Environment) -> None:
    for row in KEYED_PROVIDERS:
        name = row.turned_on_by(environment)
        if name is None:
            continue
        placed = not row.default_url or any(map(environment.get, row.urls))
        table = {"kind": row.table} if placed else {"kind": row.table, "base_url": row.default_url}
        document.put(("providers", row.table), table, Origin("code", f"default, as {name} is set"))
        if name in row.api_keys:
            document.put(("providers", row.table, "api_key"), {"env": name}, environment.origin(name))


def _share_tables(document: Document) -> None:
    """A provider's further keys (`same_as`) are told whatever their own tables do not say.

    Else a key for a host of one's own would be sent to where the kind's default URL points.
    """
    providers = document.get("providers")
    for name in list(providers) if isinstance(providers, dict) else ():
        original = plain(document.get("providers", name, "same_as"))
        shared = document.get("providers", original) if isinstance(original, str) else None
        if not isinstance(original, str) or not isinstance(shared, dict) or original == name:
            continue
        for key, value in {"kind": original, **shared}.items():
            if key not in providers[name] and key not in _OF_ONE_TABLE:
                found = document.origin(("providers", original, key))
                document.put(("providers", name, key), value, found or Origin("code", f"as [providers.{original}]"))


def _apply_overrides(document: Document, environment: Environment) -> list[ConfigProblem]:
    problems = [
        ConfigProblem("not the name of a setting", where=name, expected=name.replace("_", "__", 1))
        for name in sorted(filter(_MISSES_ONE.fullmatch, environment))
    ]
    # Sorted, so that a whole table comes before a key in it.
    for name in sorted(name for name in environment if name.upper().startswith(OVERRIDE)):
        if not _OVERRIDE.fullmatch(name):
            problems.append(_problem(name, "not the name of a setting"))
            continue
        try:
            document.put(_steps(document, name), _value(environment[name]), environment.origin(name))
        except Blocked as error:
            problems.append(_problem(name, f"{str(error) or 'this'} is not a table"))
    return problems


def _apply_options(document: Document, options: Sequence[Option]) -> None:
    for option in options:
        try:
            document.put(option.steps, option.value, Origin("option", option.name))
        except Blocked:  # what stands there is no table, which its conversion reports
            continue


def _steps(document: Document, name: str) -> Steps:
    """Where a variable points. A number is an index where the tables so far have a list there."""
    steps: Steps = ()
    for part in name.removeprefix(OVERRIDE).lower().split("__"):
        is_index = part.isdecimal() and isinstance(document.get(*steps), list)
        steps = (*steps, int(part) if is_index else part)
    return steps


def _value(text: str) -> Any:  # a TOML value, or EnvText
    """Tables and lists are read at once, so that longer names can reach into them; the rest waits for its type."""
    if text.lstrip().startswith(("{", "[")):
        try:
            return toml_value(text)
        except ValueError:
            return EnvText(text)
    return EnvText(text)


def _problem(name: str, message: str) -> ConfigProblem:
    expected = "SENTINEL__TABLE__KEY in upper case, two underscores between the parts"
    return ConfigProblem(message, where=name, expected=expected)
