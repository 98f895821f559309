"""A provider's bill: what it says that each day and model cost."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypeAlias

from sentinel_core.limits import NANO

_AMOUNT = re.compile(r"[+-]?(\d+|[1-9]\d{0,2}(,\d{3})+)?(\.\d*)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_MOST = 10**12

DATE_NAMES = ("date", "day", "usage_date", "usage_date_utc", "start_time_iso", "start_time")
MODEL_NAMES = ("model", "model_version", "snapshot_id", "line_item")
COST_NAMES = ("cost_usd", "cost", "amount_usd", "amount", "amount_value")

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


def read_bill(lines: Iterable[str], columns: Columns) -> Bill:
    """The bill in a CSV file with a head. Sums are exact, to the nano-dollar. Raises `BillError`."""
    reader = csv.DictReader(lines)
    try:
        return _read(reader, columns)
    except csv.Error as error:
        raise BillError(f"line {reader.line_num + 1}: {error}") from None  # it counts those that it has read


def _read(reader: csv.DictReader[str], columns: Columns) -> Bill:
    head = {name.strip().lower(): name for name in reader.fieldnames or ()}
    date = _column(head, columns.date, DATE_NAMES, "--date-column")
    cost = _column(head, columns.cost, COST_NAMES, "--cost-column")
    named = columns.model is not None or any(name in head for name in MODEL_NAMES)
    model = _column(head, columns.model, MODEL_NAMES, "--model-column") if named else None
    sums: dict[Place, Decimal] = {}
    for row in reader:
        place = (_day(row[date], reader.line_num), (row[model] or "").strip() if model is not None else "")
        sums[place] = sums.get(place, Decimal()) + _dollars(row[cost], reader.line_num)
    return Bill({place: round(dollars * NANO) for place, dollars in sums.items()}, named)


def _column(head: Mapping[str, str], asked: str | None, usual: Sequence[str], option: str) -> str:
    for name in (asked.strip().lower(),) if asked is not None else usual:
        if name in head:
            return head[name]
    raise BillError(f"no column {asked or ' or '.join(usual)}; name it with {option}")


def _day(text: str | None, line: int) -> str:
    """A date, a time in ISO 8601, or seconds since the epoch; `20261130` is a date."""
    text = (text or "").strip()
    try:
        if text.isdecimal() and len(text) != len("20261130"):
            return datetime.fromtimestamp(int(text), UTC).date().isoformat()
        found = datetime.fromisoformat(text)
        return (found.astimezone(UTC) if found.tzinfo is not None else found).date().isoformat()
    except (ValueError, OverflowError, OSError):
        raise BillError(f"line {line}: {text!r} is not a date") from None


def _dollars(text: str | None, line: int) -> Decimal:
    text = (text or "").strip().removeprefix("$")
    try:
        return amount(text)
    except ValueError:
        raise BillError(f"line {line}: {text!r} is not an amount of dollars, such as 1234.56 or 1,234.56") from None


def amount(text: str) -> Decimal:
    """An amount of dollars, below a million millions. A comma parts groups of three digits, and is no decimal point.
    Raises `ValueError` for any other text."""
    try:
        found = Decimal(text.replace(",", "") if _AMOUNT.fullmatch(text) else "none")
    except InvalidOperation:
        raise ValueError("not an amount") from None
    if abs(found) >= _MOST:
        raise ValueError("too large")
    return found
