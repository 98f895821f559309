"""Variable names that people already have: each row says what a name means in the tables.

Later concerns add rows; nothing else knows these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from sentinel_core.config.document import Blocked, Document, Steps
from sentinel_core.config.environment import Environment
from sentinel_core.config.envtext import EnvText, plain
from sentinel_core.errors import ConfigProblem

AliasValue: TypeAlias = EnvText | list[str] | None


def text(value: str) -> AliasValue:
    """As it is."""
    return EnvText(value)


def lower(value: str) -> AliasValue:
    """For closed sets, which the tables spell in lower case."""
    return EnvText(value.strip().lower())


def comma_list(value: str) -> AliasValue:
    """`a, b` as a list."""
    return [item.strip() for item in value.split(",") if item.strip()]


def port(value: str) -> AliasValue:
    """A port. Kubernetes sets `<SERVICE>_PORT=tcp://…` in every pod beside a service called `sentinel`: not for us."""
    return None if value.startswith("tcp://") else EnvText(value)


@dataclass(frozen=True, slots=True)
class Alias:
    """One setting and the variables that set it, the strongest first.

    Two of them with different values are a problem, unless the row is `ranked`. `fills` keeps what a file says.
    A step `*` stands for every provider table of `kind`; a row with `kind` makes no table.
    """

    steps: Steps
    names: tuple[str, ...]
    read: Callable[[str], AliasValue] = text
    ranked: bool = False
    fills: bool = False
    kind: str = ""


ALIASES: tuple[Alias, ...] = (
    Alias(("server", "port"), ("SENTINEL_PORT", "PORT"), port, ranked=True),
    # HOST is also a shell's own variable, so the specific name settles it without a quarrel.
    Alias(("server", "host"), ("SENTINEL_HOST", "HOST"), ranked=True),
    Alias(("server", "environment"), ("SENTINEL_ENV", "APP_ENV"), lower),
    Alias(("server", "log_level"), ("SENTINEL_LOG_LEVEL", "LOG_LEVEL"), lower),
    Alias(("server", "cors_origins"), ("SENTINEL_CORS_ORIGINS", "CORS_ORIGINS"), comma_list),
    Alias(("providers", "openai", "base_url"), ("OPENAI_BASE_URL",), kind="openai"),
    # A file that names another key means it: what happens to be in the environment must not take its place.
    Alias(("providers", "openai", "api_key"), ("OPENAI_API_KEY",), kind="openai", fills=True),
    Alias(("providers", "*", "first_byte_timeout_s"), ("REQUEST_TIMEOUT_SECONDS",), kind="openai"),
)


@dataclass(frozen=True, slots=True)
class ProviderVariables:
    """A provider that its API key alone turns on, where no file names providers."""

    table: str
    api_key: str
    base_url: str


KEYED_PROVIDERS: tuple[ProviderVariables, ...] = (
    ProviderVariables("openai", "OPENAI_API_KEY", "https://api.openai.com/v1"),
)


def apply_aliases(document: Document, environment: Environment) -> list[ConfigProblem]:
    """Put what the variables of `ALIASES` say into the tables. An empty variable counts as unset."""
    problems: list[ConfigProblem] = []
    for alias in ALIASES:
        # Read before compared: PROD and prod are one value, and one that is not meant for us is none.
        found = {name: alias.read(environment[name]) for name in alias.names if environment.get(name)}
        found = {name: value for name, value in found.items() if value is not None}
        if not found:
            continue
        winner, *others = found
        differ = [name for name in others if _plain(found[name]) != _plain(found[winner])]
        if differ and not alias.ranked:
            names = " and ".join((winner, *differ))
            problems.append(ConfigProblem(f"{names} set the same thing differently", expected=f"only {winner}"))
        for steps in _places(document, alias):
            try:
                document.put(steps, found[winner], environment.origin(winner))
            except Blocked:  # the file's own fault, which its conversion reports
                continue
    return problems


def _plain(value: AliasValue) -> str | list[str] | None:
    return value.text if isinstance(value, EnvText) else value


def _places(document: Document, alias: Alias) -> Iterator[Steps]:
    if not alias.kind:
        yield alias.steps
        return
    providers = document.get("providers")
    for name in list(providers) if isinstance(providers, dict) else ():
        steps = ("providers", name, *alias.steps[2:])
        is_kind = kind_of(document, ("providers", name), name) == alias.kind
        if is_kind and alias.steps[1] in ("*", name) and not (alias.fills and document.get(*steps) is not None):
            yield steps


def kind_of(document: Document, steps: Steps, default: str) -> str:
    """What `kind` says in the table at `steps`. A `kind` that is no string is left to the table's own Struct."""
    kind = plain(document.get(*steps, "kind"))
    return kind if isinstance(kind, str) else default
