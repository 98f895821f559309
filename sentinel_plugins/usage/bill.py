"""A provider's bill: what it says that each day and model cost."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypeAlias

from sentinel_core.limits import NANO

_AMOUNT = re.compile(r"[+-]?(\d+|[1-9]\d{0,2}(,\d{3})+)?(\.\d*)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_MOST = 10**12

_LINE_ITEM = re.compile(r"(?:[^|,]+ \| )?([^\s,|]+)(?: (?:audio|image|text))?, .+")
"""OpenAI's words for what was billed: `gpt-4o-2024-08-06, cached input`, `priority | gpt-4o, output, long context`."""

DATE_NAMES = ("date", "day", "usage_date", "usage_date_utc", "start_time_iso", "start_time")
MODEL_NAMES = ("model", "model_version", "snapshot_id", "line_item")
COST_NAMES = ("cost_usd", "cost", "amount_usd", "amount", "amount_value")
CURRENCY_NAMES = ("currency", "amount_currency")
_SAID_BEFORE = {"start_time": "start_time_iso"}
"""A column, and the one that says the same in OpenAI's exports, which have both."""

Place: TypeAlias = tuple[str, str]
"""A day in UTC as `2026-11-30`, and a model, or "" in a bill that names none."""


class BillError(Exception):
    """The bill cannot be read. The text says where."""


class Columns(NamedTuple):
    """The names of the columns; None where the usual names are looked for."""

    date: str | None = None
    model: str | None = None
    cost: str | None = None


class Bill(NamedTuple):
    """Nano-dollars by day and model; `by_model` says whether it names models."""

    costs: Mapping[Place, int]
    by_model: bool


class _Row(NamedTuple):
    """Its cells, and the line where it begins."""

    line: int
    cells: list[str]


class _Layout(NamedTuple):
    """In which cells of a row things stand; None where the bill does not have them."""

    date: int
    cost: int
    model: int | None
    currency: int | None


def read_bill(lines: Iterable[str], columns: Columns, *, by_day: bool = False) -> Bill:
    """The bill in a CSV file with a head; `by_day` reads no models. Sums are exact, to the nano-dollar, and no row is
    passed by. Raises `BillError`."""
    rows = _rows(lines)
    first = next(rows, None)
    if first is None:
        raise BillError("nothing is in it; a bill has a head and a row for each day")
    layout = _layout(_Row(first.line, [name.strip().lower() for name in first.cells]), columns, by_day)
    sums: dict[Place, Decimal] = {}
    for row in rows:
        found, expected = len(row.cells), len(first.cells)
        if found != expected:
            raise BillError(f"line {row.line}: cells found: {found}; expected: {expected}, as in the head")
        place = (_day(row, layout.date), _model(row.cells[layout.model]) if layout.model is not None else "")
        sums[place] = sums.get(place, Decimal()) + _cost(row, layout)
    if not sums:
        raise BillError("no row below the head, so there is no day to compare")
    return Bill({place: round(dollars * NANO) for place, dollars in sums.items()}, any(model for _, model in sums))


def _rows(lines: Iterable[str]) -> Iterator[_Row]:
    """All that are not blank. Strict: a quote that nobody closes would take in every row behind it."""
    reader = csv.reader(lines, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise BillError(f"line {line}: {error}") from None
        if cells is None:
            return
        if cells:
            yield _Row(line, cells)


def _layout(head: _Row, columns: Columns, by_day: bool) -> _Layout:
    date = _column(head, columns.date, DATE_NAMES, "--date-column")
    cost = _column(head, columns.cost, COST_NAMES, "--cost-column")
    named = columns.model is not None or any(name in head.cells for name in MODEL_NAMES)
    model = _column(head, columns.model, MODEL_NAMES, "--model-column") if named and not by_day else None
    in_dollars = head.cells[cost].endswith("_usd")
    currencies = [place for place, name in enumerate(head.cells) if name in CURRENCY_NAMES and not in_dollars]
    return _Layout(date, cost, model, currencies[0] if currencies else None)


def _column(head: _Row, asked: str | None, usual: Sequence[str], option: str) -> int:
    """The one that is asked for, or has a usual name. Raises `BillError` where there is none, or more than one."""
    usual = [name for name in usual if _SAID_BEFORE.get(name) not in head.cells]
    wanted = (asked.strip().lower(),) if asked is not None else usual
    found = [place for place, name in enumerate(head.cells) if name in wanted]
    if not found:
        raise BillError(_missing(head, asked or " or ".join(usual), option))
    names = list(dict.fromkeys(head.cells[place] for place in found))
    if len(names) > 1:
        raise BillError(f"line {head.line}: {names[0]!r} and {names[1]!r} could both be meant; name one with {option}")
    if len(found) > 1:
        raise BillError(f"line {head.line}: the column {names[0]!r} is there twice")
    return found[0]


def _missing(head: _Row, wanted: str, option: str) -> str:
    for sign in ";\t|":
        if len(head.cells) == 1 and sign in head.cells[0]:
            return f"line {head.line}: the columns are parted by {sign!r}; expected ','"
    return f"line {head.line}: no column {wanted}; name it with {option}"


def _model(text: str) -> str:
    """The model of a line item, else the text itself."""
    text = text.strip()
    item = _LINE_ITEM.fullmatch(text)
    return item[1] if item is not None else text


def _day(row: _Row, place: int) -> str:
    """A date (`20261130` is one), a time in ISO 8601, or seconds since the epoch: ten digits since 2001."""
    text = row.cells[place].strip()
    try:
        if text.isdecimal() and len(text) == len("1795694400"):
            return datetime.fromtimestamp(int(text), UTC).date().isoformat()
        found = datetime.fromisoformat(text)
        return (found.astimezone(UTC) if found.tzinfo is not None else found).date().isoformat()
    except (ValueError, OverflowError, OSError):
        raise BillError(f"line {row.line}: {text!r} is not a date") from None


def _cost(row: _Row, layout: _Layout) -> Decimal:
    """The dollars of a row. OpenAI writes a day without costs as one that has neither an amount nor a currency."""
    text = row.cells[layout.cost].strip().removeprefix("$")
    if layout.currency is not None:
        currency = row.cells[layout.currency].strip().lower()
        if not text and not currency:
            return Decimal()
        if currency != "usd":
            raise BillError(f"line {row.line}: the currency is {currency!r}; expected 'usd'")
    try:
        return amount(text)
    except ValueError:
        raise BillError(f"line {row.line}: {text!r} is not an amount of dollars, such as 1234.56 or 1,234.56") from None


def amount(text: str) -> Decimal:
    """An amount of dollars, below a million millions. A comma parts groups of three digits, and is no decimal point.
    Raises `ValueError` for any other text."""
    try:
        found = Decimal(text.replace(",", "") if _AMOUNT.fullmatch(text) else "none")
    except InvalidOperation:
        raise ValueError("not an amount") from None
    if found.copy_abs() >= _MOST:  # as it is written: `abs` rounds, and has no room for every exponent
        raise ValueError("too large")
    return found
