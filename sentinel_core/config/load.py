"""Loading: from a file and the environment to `Settings`, or to every problem at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from sentinel_core.config.convert import convert_table, convert_what_can
from sentinel_core.config.document import Document, Origin, Steps, problem_at
from sentinel_core.config.effective import EffectiveValue, effective_values
from sentinel_core.config.environment import Environment
from sentinel_core.config.envtext import plain
from sentinel_core.config.expectation import show
from sentinel_core.config.files import Files
from sentinel_core.config.secret import SecretReader
from sentinel_core.config.settings import CatalogueSettings, ChainSettings, ModelSettings, RootTable, ServerSettings
from sentinel_core.config.sources import WITHOUT_FILE, find_file, merge, read_file
from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.config.tables import PluginTable, provider_tables, stage_tables, store_table
from sentinel_core.errors import ConfigError, ConfigProblem

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Settings:
    """One whole configuration, checked as far as no plugin is needed. Its `repr` holds no secret.

    `path` is the file it was read from; None if it was built from the environment or in code. `files` are that one and
    those that it names.
    """

    server: ServerSettings
    chain: ChainSettings
    models: tuple[ModelSettings, ...]
    stages: Mapping[str, PluginTable]
    providers: Mapping[str, PluginTable]
    state: PluginTable
    records: PluginTable
    catalogue: CatalogueSettings
    path: Path | None = None
    document: Document = field(default_factory=Document, repr=False, compare=False)
    files: Files = field(default_factory=Files, repr=False, compare=False)

    def effective(self) -> tuple[EffectiveValue, ...]:
        """Every value in force with its source. Plugins' tables are in it once they were converted."""
        tables: list[tuple[Steps, msgspec.Struct]] = [(("server",), self.server), (("chain",), self.chain)]
        tables.append((("catalogue",), self.catalogue))
        tables += [(("models", index), model) for index, model in enumerate(self.models)]
        plugins = (*self.stages.values(), *self.providers.values(), self.state, self.records)
        tables += [(table.steps, table.value) for table in plugins if table.value is not None]
        return tuple(value for steps, struct in tables for value in effective_values(self.document, steps, struct))


File: TypeAlias = Path | str
Further: TypeAlias = Callable[[Settings], Iterable[ConfigProblem]]
"""What is wrong beyond the tables of this package: asked where something is wrong already, with the settings as far as
they could be read, so that nobody has to mend a file twice."""


def load_settings(
    path: File | None = None,
    *,
    environ: Mapping[str, str],
    env_file: File | None = None,
    files: Files | None = None,
    further: Further | None = None,
) -> Settings:
    """Read `path`, else the file of `SENTINEL_CONFIG`, else `./sentinel.toml`, else nothing; add the environment.

    Variables override the file, and `environ` overrides `env_file`. All of them are read by way of `files`. Raises
    `ConfigError` with every problem, those that `further` finds included.
    """
    files = files or Files()
    environment = Environment(environ, Path(env_file) if env_file is not None else None, files)
    found = find_file(Path(path) if path is not None else None, environment, files)
    tables, problems = read_file(files.at(found)) if found else (WITHOUT_FILE, [])
    origin = Origin("file", str(found)) if found else Origin("code", "default without a file")
    return _settings(tables, origin, environment, files, found, [*environment.problems, *problems], further)


def settings_from(tables: Mapping[str, Any], *, environ: Mapping[str, str] | None = None) -> Settings:  # TOML values
    """Settings from tables in code, for those who embed the gateway. Nothing is read unless `environ` is given.

    Secrets are references or `Secret` objects. Raises `ConfigError` with every problem.
    """
    return _settings(tables, Origin("code", "settings"), Environment(environ or {}), Files(), None, [])


def _settings(
    tables: Mapping[str, Any],  # TOML values
    origin: Origin,
    environment: Environment,
    files: Files,
    path: Path | None,
    problems: list[ConfigProblem],
    further: Further | None = None,
) -> Settings:
    if problems:  # without its file every other complaint would be noise
        raise ConfigError(problems)
    document, problems = merge(tables, origin, environment)
    secrets = SecretReader(environment, path.parent if path else Path(), files)
    root, found = convert_table(document, (), RootTable, secrets)
    problems += found
    readable = root or convert_what_can(document, RootTable, secrets)
    problems += [*_name_problems(document, readable), *_model_problems(document, readable)]
    problems += _key_problems(document, readable)
    settings = _assembled(document, readable, secrets, files, path)
    if problems:
        problems += [problem for problem in (further(settings) if further else ()) if problem not in problems]
        raise ConfigError(problems)
    return settings


def _assembled(document: Document, root: RootTable, secrets: SecretReader, files: Files, path: Path | None) -> Settings:
    return Settings(
        server=root.server,
        chain=root.chain,
        models=root.models,
        stages=stage_tables(document, filter(_NAME.fullmatch, root.stages), secrets),
        providers=provider_tables(document, filter(_NAME.fullmatch, root.providers), secrets),
        state=store_table(document, "state", secrets),
        records=store_table(document, "records", secrets),
        catalogue=root.catalogue,
        path=path,
        document=document,
        files=files,
    )


def _name_problems(document: Document, root: RootTable) -> Iterator[ConfigProblem]:
    for section, names in (("stages", root.stages), ("providers", root.providers)):
        for name in names:
            if not _NAME.fullmatch(name):
                expected = "a lower-case letter, then lower-case letters, digits and _"
                yield problem_at(document, (section, name), "not a name", expected=expected)


def _key_problems(document: Document, root: RootTable) -> Iterator[ConfigProblem]:
    """Tables that are said to be further keys of a provider that is not there."""
    for name, table in root.providers.items():
        original = plain(table.get("same_as"))
        if isinstance(original, str) and (original == name or original not in root.providers):
            others = [other for other in root.providers if other != name]
            yield problem_at(
                document,
                ("providers", name, "same_as"),
                "no such other provider is configured",
                found=show(original),
                expected=", ".join(others) or "no same_as",
                suggestion=did_you_mean(original, others),
            )


def _model_problems(document: Document, root: RootTable) -> Iterator[ConfigProblem]:
    """Names that two models share, targets that nothing serves, and targets that one model names twice."""
    seen: set[str] = set()
    for index, model in enumerate(root.models):
        if model.name in seen:
            yield problem_at(document, ("models", index, "name"), "two models have this name", found=show(model.name))
        seen.add(model.name)
        named: set[tuple[str, str]] = set()
        for number, target in enumerate(model.targets):
            place = (target.provider, target.model or model.name)
            if place in named:
                message = "two targets of this model are the same"
                yield problem_at(document, ("models", index, "targets", number), message, found=show("/".join(place)))
            named.add(place)
            if target.provider not in root.providers:
                yield problem_at(
                    document,
                    ("models", index, "targets", number, "provider"),
                    "no such provider is configured",
                    found=show(target.provider),
                    expected=f"a table [providers.{target.provider}], or one of: {', '.join(root.providers)}",
                    suggestion=did_you_mean(target.provider, root.providers),
                )
