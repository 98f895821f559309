"""`sentinel scan` and `sentinel guard eval`, without a gateway that runs."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from typing import Annotated, BinaryIO

import typer

from sentinel_core.commands import Command
from sentinel_core.gateway import Gateway
from sentinel_core.printing import INCOMPLETE, complain, printable, unprinted
from sentinel_plugins.guard_tools import printing
from sentinel_plugins.guard_tools.evaluate import evaluate, progress
from sentinel_plugins.guard_tools.guards import Direction, opened
from sentinel_plugins.guard_tools.scan import Scan, scan
from sentinel_plugins.guard_tools.score import Evaluation
from sentinel_plugins.recording.options import AsJson, Config, EnvFile

BELOW = FOUND = 1

BOM = "\ufeff"


class As(StrEnum):
    """As what a text is shown to the guards."""

    REQUEST = "request"
    RESPONSE = "response"


Only = Annotated[list[str] | None, typer.Option("--guard", "-g", help="Only this guard; may be repeated.")]


def _as(text: str) -> As:
    try:
        return As(text)
    except ValueError:
        known = ", ".join(repr(one.value) for one in As)
        raise typer.BadParameter(f"{text!r} is not one of {known}.") from None


AsOption = Annotated[
    As,
    typer.Option(
        "--as", parser=_as, metavar="request|response", help="Read texts as what users ask, or as what models answer."
    ),
]
Share = Annotated[float | None, typer.Option(min=0, max=1, help="Exit with 1 if a guard has less.")]


def guard_eval(
    dataset: Annotated[
        typer.FileBinaryRead,
        typer.Argument(help="JSON lines with `text`, and `label` or `spans`; - is standard input."),
    ],
    guard: Only = None,
    as_: AsOption = As.REQUEST,
    min_precision: Share = None,
    min_recall: Share = None,
    config: Config = None,
    env_file: EnvFile = None,
    json: AsJson = False,
) -> int:
    """Measure the guards on texts whose truth you know: precision, recall, latency. No provider is called.

    Exit code: 0, 1 below a threshold, 2 wrong arguments or configuration, 3 rows that could not be measured, 4 the
    result could not be printed.
    """
    gateway = Gateway.load(config, env_file=env_file)

    async def work() -> Evaluation:
        async with opened(gateway, guard or ()) as guards:
            with progress(dataset) as advance:
                return await evaluate(guards, dataset, _direction(as_), advance)

    found = asyncio.run(work())
    try:
        printing.as_json(found) if json else printing.evaluation(found)
        printing.bad_rows(_name(dataset), found.bad_rows)
    except OSError as error:
        return unprinted(error)
    if found.bad_rows or any(score.unmeasured for score in found.guards):
        return INCOMPLETE
    return BELOW if _below(found, min_precision, min_recall) else 0


def scan_file(
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="A text file; - is standard input.")],
    guard: Only = None,
    as_: AsOption = As.REQUEST,
    config: Config = None,
    env_file: EnvFile = None,
    json: AsJson = False,
) -> int:
    """Show what each guard would do with a text. No provider is called, and nothing of the text is printed.

    Exit code: 0 nothing found, 1 something, 2 wrong arguments or configuration, 3 not everything was looked at, 4 the
    result could not be printed.
    """
    gateway = Gateway.load(config, env_file=env_file)

    async def work(text: str) -> Scan:
        async with opened(gateway, guard or ()) as guards:
            return await scan(guards, _name(file), text, _direction(as_))

    try:
        text = file.read().decode().removeprefix(BOM)
    except UnicodeDecodeError as error:
        complain(f"{printable(_name(file))} is not UTF-8 at byte {error.start}")
        return INCOMPLETE
    found = asyncio.run(work(text))
    try:
        printing.as_json(found) if json else printing.scan(found)
    except OSError as error:
        return unprinted(error)
    return {"clean": 0, "found": FOUND, "incomplete": INCOMPLETE}[found.result]


COMMANDS = (Command("guard eval", guard_eval), Command("scan", scan_file))


def _name(file: BinaryIO) -> str:
    """As it can be printed: names of files may be any bytes."""
    return os.fsencode(file.name).decode(errors="replace")


def _direction(shown: As) -> Direction:
    return "request" if shown is As.REQUEST else "response"


def _below(found: Evaluation, precision: float | None, recall: float | None) -> bool:
    """A share of nothing is below nothing."""
    pairs = [pair for score in found.guards for pair in ((score.precision, precision), (score.recall, recall))]
    return any(share is not None and least is not None and share < least for share, least in pairs)
