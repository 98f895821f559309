"""`sentinel cost reconcile`: the ledger of the configured record store beside a provider's bill."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentinel_core.commands import Command
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.limits import NANO
from sentinel_core.printing import INCOMPLETE, as_json, complain, table, unprinted
from sentinel_plugins.recording.offline import answered
from sentinel_plugins.recording.options import AsJson, Config, EnvFile
from sentinel_plugins.usage.bill import Bill, BillError, Columns, amount, read_bill
from sentinel_plugins.usage.reconcile import Difference, UnknownProvider, reconcile, signed

FOUND = 1
_HEAD = ("DAY", "MODEL", "LEDGER USD", "BILL USD", "DIFFERENCE", "UNPRICED", "UNSURE")
Column = Annotated[str | None, typer.Option(help="A column's name, where it is not a usual one.")]


def reconcile_costs(
    csv: Annotated[Path, typer.Option("--csv", exists=True, dir_okay=False, help="The bill, with a head line.")],
    provider: Annotated[
        list[str],
        typer.Option(
            "--provider", help="Whose bill it is: the name of a table [providers.…]; repeat it for further keys."
        ),
    ],
    tolerance_usd: Annotated[str, typer.Option("--tolerance-usd", help="A difference that nobody minds.")] = "0.01",
    date_column: Column = None,
    model_column: Column = None,
    cost_column: Column = None,
    by_day: Annotated[
        bool, typer.Option("--by-day", help="Compare days alone, where the bill names models as the ledger does not.")
    ] = False,
    config: Config = None,
    env_file: EnvFile = None,
    json: AsJson = False,
) -> int:
    """Compare the ledger with a provider's bill.

    Lines of one model and day are added, such as those of OpenAI's export by line item. A dated snapshot stands with
    the model that was called, where the ledger has that one and not the snapshot, and the day's bill names the snapshot
    alone.

    Exit code: 0, 1 if they differ by more than is tolerated, 2 a bill that cannot be read, wrong arguments or
    configuration, 3 the ledger could not be read, 4 the result could not be printed.
    """
    tolerance = _nanousd(tolerance_usd)
    if by_day and model_column is not None:
        raise typer.BadParameter("with --by-day no model is read", param_hint="--model-column")
    bill = _bill(csv, Columns(date_column, model_column, cost_column), by_day=by_day)
    gateway = Gateway.load(config, env_file=env_file)
    configured = gateway.blueprint.settings.providers
    try:
        found = answered(gateway, lambda records: reconcile(records, provider, bill, configured))
    except UnknownProvider as error:
        raise typer.BadParameter(str(error), param_hint="--provider") from None
    except Refusal as error:
        complain(error.message)
        return INCOMPLETE
    try:
        typer.echo(as_json(found) if json else _table(found))
    except OSError as error:
        return unprinted(error)
    return FOUND if any(abs(row.nanousd) > tolerance for row in found) else 0


COMMANDS = (Command("cost reconcile", reconcile_costs),)


def _bill(path: Path, columns: Columns, *, by_day: bool) -> Bill:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return read_bill(file, columns, by_day=by_day)
    except (BillError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path}: {error}") from None


def _nanousd(text: str) -> int:
    """A difference that nobody minds. Raises `BadParameter`."""
    try:
        tolerated = None if text.startswith("-") else amount(text)
    except ValueError:
        tolerated = None
    if tolerated is None:
        raise typer.BadParameter(f"{text!r} is not an amount of dollars")
    return round(tolerated * NANO)


def _table(found: list[Difference]) -> str:
    return table(_HEAD, map(_cells, found), left=2)


def _cells(row: Difference) -> tuple[str, ...]:
    amounts = map(signed, (row.ledger_nanousd, row.bill_nanousd, row.nanousd))
    return (row.day, row.model or "-", *amounts, str(row.unpriced), str(row.unsure))
