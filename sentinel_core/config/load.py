"""Loading: from a file and the environment to `Settings`, or to every problem at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import msgspec

from sentinel_core.config.convert import convert_table, convert_what_can
from sentinel_core.config.document import Document, Origin, Steps
from sentinel_core.config.effective import EffectiveValue, effective_values
from sentinel_core.config.environment import Environment
from sentinel_core.config.files import Files
from sentinel_core.config.references import reference_problems, usable_names
from sentinel_core.config.secret import SecretReader
from sentinel_core.config.settings import CatalogueSettings, ChainSettings, ModelSettings, RootTable, ServerSettings
from sentinel_core.config.sources import WITHOUT_FILE, Option, find_file, merge, read_file
from sentinel_core.config.tables import PluginTable, provider_tables, stage_tables, store_table
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.json_types import TomlValue


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
    options: Sequence[Option] = (),
) -> Settings:
    """Read `path`, else the file of `SENTINEL_CONFIG`, else `./sentinel.toml`, else nothing; add the environment.

    Variables override the file, `environ` overrides `env_file`, and `options` override everything. All files are read
    by way of `files`. Raises `ConfigError` with every problem, those that `further` finds included.
    """
    files = files or Files()
    environment = Environment(environ, Path(env_file) if env_file is not None else None, files)
    found = find_file(Path(path) if path is not None else None, environment, files)
    tables, problems = read_file(files.at(found)) if found else (WITHOUT_FILE, [])
    origin = Origin("file", str(found)) if found else Origin("code", "default without a file")
    problems = [*environment.problems, *problems]
    if problems:  # without its file every other complaint would be noise
        raise ConfigError(problems)
    document, problems = merge(tables, origin, environment, options)
    return _settings(document, problems, environment, files, found, further)


def settings_from(tables: Mapping[str, TomlValue], *, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from tables in code, for those who embed the gateway. Nothing is read unless `environ` is given.

    Secrets are references or `Secret` objects. Raises `ConfigError` with every problem.
    """
    environment = Environment(environ or {})
    document, problems = merge(tables, Origin("code", "settings"), environment)
    return _settings(document, problems, environment, Files())


def _settings(
    document: Document,
    problems: list[ConfigProblem],
    environment: Environment,
    files: Files,
    path: Path | None = None,
    further: Further | None = None,
) -> Settings:
    secrets = SecretReader(environment, path.parent if path else Path(), files)
    root, found = convert_table(document, (), RootTable, secrets)
    problems += [*found, *reference_problems(document, secrets)]
    readable = root or convert_what_can(document, RootTable, secrets)
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
        stages=stage_tables(document, usable_names(document, "stages"), secrets),
        providers=provider_tables(document, usable_names(document, "providers"), secrets),
        state=store_table(document, "state", secrets),
        records=store_table(document, "records", secrets),
        catalogue=root.catalogue,
        path=path,
        document=document,
        files=files,
    )
