"""What the commands print. Colour is for terminals: typer leaves it out elsewhere, and where nobody wants it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import typer

from sentinel_core import printing
from sentinel_core.printing import printable
from sentinel_plugins.guard_tools.dataset import BadRow
from sentinel_plugins.guard_tools.scan import Scan
from sentinel_plugins.guard_tools.score import Evaluation, GuardScore
from sentinel_plugins.guard_tools.spans import SpanScore

SHOWN_BAD_ROWS = 20


def as_json(value: msgspec.Struct) -> None:
    """Indented JSON."""
    typer.echo(printing.as_json(value))


def evaluation(found: Evaluation) -> None:
    """Every guard's tables."""
    typer.echo(f"{found.rows} rows, as {found.direction}s")
    for score in found.guards:
        typer.echo()
        typer.secho(printable(score.guard), bold=True)
        for line in _score(score):
            typer.echo(f"  {line}")
    if found.unasked:
        typer.echo()
    for guard in found.unasked:
        typer.echo(f"{printable(guard)} does not read {found.direction}s")


def scan(found: Scan) -> None:
    """One line for each guard."""
    for seen in found.guards:
        where = "" if seen.lines == () else f"  lines {_numbers(seen.lines)}"
        colour = None if seen.result == "allowed" or seen.only_unseen else typer.colors.YELLOW
        what = ", only characters that nobody sees" if seen.only_unseen else ""
        typer.echo(f"{printable(seen.guard)}: {typer.style(seen.result, fg=colour)}{what}{where}")
        for one in seen.findings:
            typer.echo(f"  line {one.line}, characters {one.start} to {one.end}: {printable(one.type)}, {one.action}")
    for guard in found.unasked:
        typer.echo(f"{printable(guard)}: does not read {found.direction}s")
    typer.echo(f"{printable(found.file)}: {found.result}")


def bad_rows(name: str, rows: Sequence[BadRow]) -> None:
    """What could not be used, on standard error."""
    name = printable(name)
    for row in rows[:SHOWN_BAD_ROWS]:
        typer.secho(f"{name}:{row.line}: {printable(row.problem)}", fg=typer.colors.RED, err=True)
    if len(rows) > SHOWN_BAD_ROWS:
        typer.secho(f"{name}: {len(rows) - SHOWN_BAD_ROWS} more; --json has them all", fg=typer.colors.RED, err=True)


def _score(score: GuardScore) -> Iterable[str]:
    yield f"{'':<16}{'found':>9}{'not found':>12}"
    yield f"{'is there':<16}{score.true_positives:>9}{score.false_negatives:>12}"
    yield f"{'is not there':<16}{score.false_positives:>9}{score.true_negatives:>12}"
    yield f"precision {_share(score.precision)}  recall {_share(score.recall)}"
    yield f"latency p50 {_ms(score.p50_ms)}  p95 {_ms(score.p95_ms)}"
    if score.unmeasured:
        yield typer.style(f"{score.unmeasured} rows not measured: the guard failed on them", fg=typer.colors.RED)
    for name, entity in score.entities.items():
        yield f"{printable(name)}: {entity.found} of {entity.rows}"
    if score.places is not None:
        yield from _places(score.places)


def _places(score: SpanScore) -> Iterable[str]:
    yield f"by places: precision {_share(score.precision)}  recall {_share(score.recall)}"
    yield f"{'':<24}{'places':>8}{'covered':>9}{'exact':>7}"
    for name, one in score.types.items():
        yield f"{printable(name):<24}{one.spans:>8}{one.covered:>9}{one.exact:>7}"


def _numbers(lines: tuple[int, ...] | None) -> str:
    return "joined or split" if lines is None else ", ".join(map(str, lines))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f} ms"
