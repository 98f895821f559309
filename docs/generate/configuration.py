"""Every table of `sentinel.toml`, from the Structs that read it, and every variable, from the aliases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from docs.generate.markdown import table
from docs.generate.struct_table import struct_table
from sentinel_core.config.aliases import ALIASES
from sentinel_core.config.settings import (
    CatalogueSettings,
    ChainSettings,
    ModelSettings,
    ServerSettings,
    TargetSettings,
)
from sentinel_core.config.sources import STAGES_WITHOUT_FILE
from sentinel_core.provider import ProviderConfig
from sentinel_core.stage import StageConfig
from sentinel_core.state import StoreConfig

HEAD = f"""# Configuration

Sentinel reads one TOML file: that of `--config`, else of `SENTINEL_CONFIG`, else `./sentinel.toml`. Without a file it
serves with defaults and with the providers whose keys are in the environment; without a key, `echo` answers.

With a file, only stages that it names are on. Without one these are:
{", ".join(f"`{name}`" for name in STAGES_WITHOUT_FILE)}.

Every key can be set from the environment, too: `SENTINEL__SERVER__WORKERS=2` is `workers` in `[server]`. `--env-file`
reads variables from a `.env` file; the process's own win. Durations are seconds and end in `_s`, sizes are bytes and
end in `_bytes`.

`sentinel check` reports everything that is wrong, at once, with file, table, key, what was found and what would work.
`sentinel check --show` prints every value in force and who set it. A key that nobody knows is an error.

A secret is never written into the file, only where it is: `{{ env = "NAME" }}` or `{{ file = "path" }}`. There, as
for `file` in `[catalogue]`, a relative path starts at the folder of the configuration file. Paths of what a gateway
writes (`path` and `spool` of `[records]`, `checkpoints` of `[stages.audit]`) start at the working directory.

```toml
[server]
port = 8000

[providers.openai]
api_key = {{ env = "OPENAI_API_KEY" }}

[[models]]
name = "gpt-4o-mini"
targets = [{{ provider = "openai" }}]
```
"""

STAGES = """## `[stages.<name>]`

One table for each stage, named as the stage is. What is installed is not loaded until a table names it. These keys
are every stage's; a stage adds its own.
"""

PROVIDERS = """## `[providers.<name>]`

One table for each upstream. The keys of a kind follow below.
"""

STORES = """## `[state]` and `[records]`
"""

VARIABLES = """## Variables

Names that people already have. The first one of a row is the strongest; where two of them are set and differ, that is
an error, unless the row says "first wins". An empty variable counts as unset.
"""


def configuration_page() -> str:
    """The page `reference/configuration.md`."""
    parts = [
        HEAD,
        "## `[server]`\n",
        struct_table(ServerSettings),
        "## `[chain]`\n",
        struct_table(ChainSettings),
        STAGES,
        struct_table(StageConfig),
        "## `[[models]]`\n\nWithout any, a model is served by the providers that offer it.\n",
        struct_table(ModelSettings),
        "Each of `targets`:\n",
        struct_table(TargetSettings),
    ]
    parts += ["## `[catalogue]`\n", struct_table(CatalogueSettings)]
    parts += [PROVIDERS, struct_table(ProviderConfig), STORES, struct_table(StoreConfig)]
    for title, struct, base in plugin_tables():
        parts += [f"## {title}\n", struct_table(struct, base)]
    return "\n".join([*parts, VARIABLES, _variables()])


def plugin_tables() -> Iterator[tuple[str, type[msgspec.Struct], type[msgspec.Struct]]]:
    """Title, Struct and common part of the tables of the plugins that this distribution brings."""
    points = sorted(entry_points(group="sentinel"), key=lambda point: point.name)
    seen = set()
    for point in points:
        # A module with several names is shown once, with all it brings.
        if not point.module.startswith("sentinel_plugins.") or point.module in seen:
            continue
        seen.add(point.module)
        module = import_module(point.module)
        for cls in _contributed(module, "sentinel_providers"):
            yield f'`[providers.<name>]` of `kind = "{cls.name}"`', cls.Config, ProviderConfig
        for cls in _contributed(module, "sentinel_stages"):
            yield f"`[stages.{cls.name}]`", cls.Config, StageConfig
            for path, struct in _nested(f"stages.{cls.name}", cls.Config):
                yield f"`[{path}]`", struct, msgspec.Struct
        for cls in _contributed(module, "sentinel_stores"):
            section = point.module.split(".")[1]  # the folder of its kind
            yield f'`[{section}]` of `kind = "{cls.kind}"`', cls.Config, StoreConfig


def _nested(path: str, struct: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """The tables within a table, each kind once: where the first of it stands."""
    seen = set()
    waiting = [(path, struct)]
    while waiting:
        place, outer = waiting.pop(0)
        for name, hint in get_type_hints(outer).items():
            for inner in _structs(hint):
                if inner in seen:
                    continue
                seen.add(inner)
                below = f"{place}.{name}" + (".<name>" if get_origin(hint) in (dict, Mapping) else "")
                waiting.append((below, inner))
                yield below, inner


def _structs(hint: Any) -> Iterator[type[msgspec.Struct]]:  # annotations have no common type
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for argument in get_args(hint):
        yield from _structs(argument)


def _contributed(module: ModuleType, hook: str) -> Iterable[Any]:  # classes of a stage, a provider or a store
    function = getattr(module, hook, None)
    return function() if function else ()


def _variables() -> str:
    rows = []
    for alias in ALIASES:
        place = ".".join("<name>" if step == "*" else str(step) for step in alias.steps)
        notes = ["first wins"] if alias.ranked and len(alias.names) > 1 else []
        notes += ["only where the file says nothing"] if alias.fills else []
        rows.append((", ".join(f"`{name}`" for name in alias.names), f"`{place}`", "; ".join(notes)))
    rows.append(("`SENTINEL_CONFIG`", "the file to read", ""))
    return table(["variable", "sets", ""], rows)
