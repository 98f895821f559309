"""`sentinel plugins`: what is installed and what the configuration enables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.printing import as_json, table
from sentinel_server.cli.options import ConfigOption, EnvFileOption, JsonOption, text

if TYPE_CHECKING:
    from sentinel_core.config import Settings

NAME = "plugins"


def command(config: ConfigOption = None, env_file: EnvFileOption = None, json: JsonOption = False) -> None:
    """List installed plugins, without importing them: name, enabled or not, distribution, version, module."""
    from sentinel_core.gateway.blueprint import ALWAYS_LOADED
    from sentinel_core.registry import installed
    from sentinel_server.supervisor.launch import Launch

    used = {*ALWAYS_LOADED, *_named(Launch(text(config), text(env_file)).settings())}
    rows = [(info, info.name in used) for info in installed()]
    if json:
        print(as_json([{**info._asdict(), "enabled": on} for info, on in rows]))
        return
    lines = [(info.name, "yes" if on else "no", info.distribution, info.version, info.module) for info, on in rows]
    print(table(("NAME", "ENABLED", "DISTRIBUTION", "VERSION", "MODULE"), lines))


def _named(settings: Settings) -> set[str]:
    """The entry points that the configuration names."""
    stages = {name for name, table in settings.stages.items() if table.enabled}
    providers = {table.kind for table in settings.providers.values() if table.enabled}
    stores = {f"state_{settings.state.kind}", f"records_{settings.records.kind}"}
    return {*stages, *providers, *stores}
