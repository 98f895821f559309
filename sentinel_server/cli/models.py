"""`sentinel models`: what is known about models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel_core.printing import as_json, table
from sentinel_server.cli.options import ConfigOption, EnvFileOption, JsonOption, text

if TYPE_CHECKING:
    from sentinel_core.model_facts import ModelFacts

NAME = "models"
HEAD = ("MODEL", "PROVIDER", "STATUS", "UNTIL", "SUCCESSOR", "CONTEXT", "OUTPUT", "IN $/M", "OUT $/M", "TRUST")

AllOption = Annotated[bool, typer.Option("--all", help="Retired models as well.")]


def command(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    every: AllOption = False,
    json: JsonOption = False,
) -> None:
    """List the models that are known: where each is served, until when, its size and its price, and how well that is
    known. What of it is served here is another list: `GET /v1/models`."""
    from sentinel_server.supervisor.launch import Launch

    catalogue = Launch(text(config), text(env_file)).gateway().blueprint.catalogue
    today = datetime.now(UTC).date()
    models = [model for model in catalogue.models() if every or not model.retired(today)]
    if json:
        print(as_json({"dated": catalogue.dated, "models": models}))
        return
    print(f"as of {catalogue.dated}")
    print(table(HEAD, [_row(model, today) for model in models]))


def _row(model: ModelFacts, today: date) -> Sequence[str]:
    return (
        model.id,
        model.provider,
        "retired" if model.retired(today) else model.status,
        str(model.shutdown_date or ""),
        model.successor or "",
        _number(model.context_window),
        _number(model.max_output_tokens),
        _dollars(model.input_usd),
        _dollars(model.output_usd),
        model.trust,
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _dollars(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")
