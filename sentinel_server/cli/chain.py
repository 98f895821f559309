"""`sentinel chain`: the stages in their order."""

from __future__ import annotations

from sentinel_core.printing import as_json
from sentinel_server.cli.options import ConfigOption, EnvFileOption, JsonOption, text

NAME = "chain"


def command(config: ConfigOption = None, env_file: EnvFileOption = None, json: JsonOption = False) -> None:
    """Show the chain: stages in order, their phases, fault policy, time-out, mode, and which of them buffer streams."""
    from sentinel_server.banner import chain_table
    from sentinel_server.supervisor.launch import Launch

    rows = Launch(text(config), text(env_file)).gateway().chain.rows()
    if json:
        print(as_json([row._asdict() for row in rows]))
        return
    print(chain_table(rows))
