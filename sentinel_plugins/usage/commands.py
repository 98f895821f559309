"""`sentinel usage`: on the configured record store, without a gateway that runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from sentinel_core.commands import Command
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.printing import as_json, table
from sentinel_plugins.recording.offline import answered
from sentinel_plugins.recording.options import AsJson, Config, EnvFile
from sentinel_plugins.recording.reach import Reach
from sentinel_plugins.usage.summary import Asked, Totals, UsageSummary, asked, summary

_HEAD = ("REQUESTS", "CALLS", "PROMPT", "COMPLETION", "UNPRICED", "USD")


def usage(
    group_by: Annotated[str, typer.Option("--group-by", help="model, provider, key, tenant or day.")] = "model",
    since: Annotated[str | None, typer.Option("--since", help="From this time on, such as 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before this time.")] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="One tenant's rows.")] = None,
    config: Config = None,
    env_file: EnvFile = None,
    json: AsJson = False,
) -> int:
    """Show what was used and what it cost."""
    given = {"group_by": group_by, "since": since, "until": until}
    gateway = Gateway.load(config, env_file=env_file)
    wanted = _asked({name: text for name, text in given.items() if text is not None}, Reach(tenant, {}))
    found = answered(gateway, lambda records: summary(records, wanted))
    typer.echo(as_json(found) if json else _table(found))
    return 0


def _asked(given: Mapping[str, str], reach: Reach) -> Asked:
    """What the options ask for. Raises `BadParameter`."""
    try:
        return asked(given, reach)
    except Refusal as refusal:
        option = f"--{(refusal.param or '').replace('_', '-')}"
        raise typer.BadParameter(refusal.message, param_hint=option) from None


COMMANDS = (Command("usage", usage),)


def _table(found: UsageSummary) -> str:
    lines = [(group.value if group.value is not None else "-", *_cells(group.totals)) for group in found.data]
    lines.append(("total", *_cells(found.total)))
    return table(((found.group_by or "").upper(), *_HEAD), lines, left=1)


def _cells(totals: Totals) -> tuple[str, ...]:
    counts = (totals.requests, totals.attempts, totals.prompt_tokens, totals.completion_tokens, totals.unpriced)
    return (*map(str, counts), totals.cost_usd)
