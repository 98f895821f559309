"""`sentinel cost reconcile`: the ledger and the bill, day by day and to the nano-dollar."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import Refusal
from sentinel_core.records import Record
from sentinel_plugins.records.memory import MemoryRecords
from sentinel_plugins.usage.bill import BillError, Columns, read_bill
from sentinel_plugins.usage.row import TABLE
from tests.plugins.usage.test_routes import NOVEMBER, sentinel, store
from tests.server.cli.conftest import Sentinel
from tests.server.cli.full_output import CANNOT, Full

__all__ = ["sentinel", "store"]

CONFIG = "[stages.usage]\n"


def row(number: int, day: int, model: str, cost: int | None, provenance: str = "reported") -> Record:
    fields = {
        "provider": "openai",
        "target_model": model,
        "cost_nanousd": cost,
        "unpriced": int(cost is None),
        "provenance": provenance,
    }
    return Record(f"r{number}:1", "acme", NOVEMBER + 86_400 * day, fields)


ROWS = (
    row(1, 0, "gpt-4o", 2_000_000_000),
    row(2, 0, "gpt-4o", 500_000_001, "partial"),
    row(3, 0, "o3", None),
    row(4, 1, "gpt-4o", 7),
    row(5, 2, "gpt-4o", 10**9),
)


def bill(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def reconciled(cli: Sentinel, path: str, *more: str, provider: str = "openai") -> tuple[object, list[list[object]]]:
    result = cli("cost", "reconcile", "--csv", path, "--provider", provider, "--json", *more, config=CONFIG)
    return result.code, [list(found.values()) for found in json.loads(result.out)]


def test_each_day_and_model_stands_beside_its_bill(sentinel: Sentinel, store: MemoryRecords, tmp_path: Path) -> None:
    asyncio.run(store.append(TABLE, ROWS))
    lines = ("Date,Model,Cost", "2026-11-26,gpt-4o,$2.25", "2026-11-26,gpt-4o,0.25", "2026-11-27,gpt-4o,0")
    code, found = reconciled(sentinel, bill(tmp_path / "bill.csv", *lines))
    assert found == [
        ["2026-11-26", "gpt-4o", 2_500_000_001, 2_500_000_000, 0, 1],
        ["2026-11-26", "o3", 0, 0, 1, 0],
        ["2026-11-27", "gpt-4o", 7, 0, 0, 0],
    ]
    assert code == 0
    assert reconciled(sentinel, str(tmp_path / "bill.csv"), "--tolerance-usd", "0")[0] == 1


def test_the_bill_of_an_account_is_compared_with_the_rows_of_all_its_keys(
    sentinel: Sentinel, store: MemoryRecords, tmp_path: Path
) -> None:
    """The ledger has the table that was called, also where that is another key of a provider (`same_as`)."""
    second = row(6, 0, "gpt-4o", 250_000_000, "estimated")
    other = Record("r7:1", "acme", NOVEMBER, {**second.fields, "provider": "elsewhere"})
    second = Record(second.id, "acme", second.at, {**second.fields, "provider": "openai_team_b"})
    asyncio.run(store.append(TABLE, (ROWS[0], second, other)))
    path = bill(tmp_path / "bill.csv", "date,model,cost", "2026-11-26,gpt-4o,2.25")
    assert reconciled(sentinel, path) == (1, [["2026-11-26", "gpt-4o", 2_000_000_000, 2_250_000_000, 0, 0]])
    together = reconciled(sentinel, path, "--provider", "openai_team_b")
    assert together == (0, [["2026-11-26", "gpt-4o", 2_250_000_000, 2_250_000_000, 0, 1]])
    assert reconciled(sentinel, path, "--provider", "openai_team_b", "--provider", "openai") == together


def test_a_bill_without_models_is_compared_by_day(sentinel: Sentinel, store: MemoryRecords, tmp_path: Path) -> None:
    asyncio.run(store.append(TABLE, ROWS))
    path = bill(tmp_path / "bill.csv", "when,paid", "1795694400,3.5")
    code, found = reconciled(sentinel, path, "--date-column", "when", "--cost-column", "paid")
    assert (code, found) == (1, [["2026-11-26", "", 2_500_000_001, 3_500_000_000, 1, 1]])
    shown = sentinel(
        *("cost", "reconcile", "--csv", path, "--provider", "openai", "--date-column", "when", "--cost-column", "paid"),
        config=CONFIG,
    )
    assert shown.out.splitlines()[1].split() == ["2026-11-26", "-", "2.500000001", "3.5", "0.999999999", "1", "1"]


OPENAIS = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id",
    *(
        f'1795651200,1795737600,2026-11-26T00:00:00+00:00,2026-11-27T00:00:00+00:00,{dollars},usd,"{item}",p'
        for item, dollars in (
            ("gpt-4o-2024-08-06, input", "1.5"),
            ("gpt-4o-2024-08-06, cached input", "0.25"),
            ("priority | gpt-4o-2024-05-13, output, long context", "0.75"),
            ("gpt-audio-2025-08-28 audio, input", "0.125"),
            ("o3-2025-04-16, output", "2"),
            ("web search tool calls", "1"),
        )
    ),
)


def test_lines_of_one_model_and_day_are_added_and_snapshots_are_of_the_model_that_was_called(
    sentinel: Sentinel, store: MemoryRecords, tmp_path: Path
) -> None:
    """The ledger has `gpt-4o`, of which the bill has two snapshots, and no `o3` beside its snapshot."""
    asyncio.run(store.append(TABLE, (row(1, 0, "gpt-4o", 2_500_000_000), row(2, 0, "o3-2025-04-16", 2_000_000_000))))
    code, found = reconciled(sentinel, bill(tmp_path / "bill.csv", *OPENAIS), "--tolerance-usd", "1")
    assert found == [
        ["2026-11-26", "gpt-4o", 2_500_000_000, 2_500_000_000, 0, 0],
        ["2026-11-26", "gpt-audio-2025-08-28", 0, 125_000_000, 0, 0],
        ["2026-11-26", "o3-2025-04-16", 2_000_000_000, 2_000_000_000, 0, 0],
        ["2026-11-26", "web search tool calls", 0, 1_000_000_000, 0, 0],
    ]
    assert code == 0


def test_a_bill_that_names_a_model_beside_its_snapshots_tells_them_apart(
    sentinel: Sentinel, store: MemoryRecords, tmp_path: Path
) -> None:
    asyncio.run(store.append(TABLE, (row(1, 0, "m", 10**9), row(2, 0, "m-20251001", 2 * 10**9))))
    path = bill(tmp_path / "bill.csv", "date,model,cost", "2026-11-26,m,2", "2026-11-26,m-20251001,1")
    assert [line[:4] for line in reconciled(sentinel, path)[1]] == [
        ["2026-11-26", "m", 10**9, 2 * 10**9],
        ["2026-11-26", "m-20251001", 2 * 10**9, 10**9],
    ]


@pytest.mark.parametrize(
    ("ledger", "billed", "expected"),
    [
        pytest.param(
            {"m": 10, "m-20250101": 5},
            ("2026-11-26,m-20251001,5", "2026-11-26,m-20250101,10"),
            [("2026-11-26", "m", 10, 5), ("2026-11-26", "m-20250101", 5, 10)],
            id="one that was called by that name keeps its line, so that differences do not offset each other",
        ),
        pytest.param(
            {"m": 10, "m-20251001": 5, "m-20250101": 2},
            ("2026-11-26,m-20251001,15",),
            [("2026-11-26", "m", 15, 15), ("2026-11-26", "m-20250101", 2, 0)],
            id="one that was called by both names stands with its model, one that was not billed does not",
        ),
        pytest.param(
            {"m": 10},
            ("2026-11-26,m,10", "2026-11-27,m-20251001,3", "2026-11-27,m-20250101,4"),
            [("2026-11-26", "m", 10, 10), ("2026-11-27", "m", 0, 7)],
            id="it is each day's bill that names the model or does not",
        ),
    ],
)
def test_a_snapshot_that_nobody_called_stands_with_its_model(
    sentinel: Sentinel,
    store: MemoryRecords,
    tmp_path: Path,
    ledger: dict[str, int],
    billed: Sequence[str],
    expected: Sequence[tuple[str, str, int, int]],
) -> None:
    rows = [row(number, 0, model, cost * 10**9) for number, (model, cost) in enumerate(ledger.items())]
    asyncio.run(store.append(TABLE, rows))
    _, found = reconciled(sentinel, bill(tmp_path / "bill.csv", "date,model,cost", *billed))
    assert [line[:4] for line in found] == [
        [day, model, kept * 10**9, cost * 10**9] for day, model, kept, cost in expected
    ]


def test_days_alone_may_be_compared(sentinel: Sentinel, store: MemoryRecords, tmp_path: Path) -> None:
    asyncio.run(store.append(TABLE, ROWS[:3]))
    path = bill(tmp_path / "bill.csv", "date,model,line_item,cost", "2026-11-26,a,b,1", "2026-11-26,c,d,1.5")
    assert reconciled(sentinel, path, "--by-day") == (0, [["2026-11-26", "", 2_500_000_001, 2_500_000_000, 1, 1]])
    both = ("cost", "reconcile", "--csv", path, "--provider", "openai", "--by-day", "--model-column", "model")
    result = sentinel(*both, config=CONFIG)
    assert (result.code, result.out) == (2, "")
    assert "with --by-day no model is read" in result.told


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("model,cost", "m,1"), "--date-column"),
        (("date,model", "2026-11-26,m"), "--cost-column"),
        (("date,cost", "yesterday,1"), "line 2: 'yesterday' is not a date"),
        (("date,cost", "2026-11-26,much"), "line 2: 'much' is not an amount"),
        (("date,cost", "2026-11-26,nan"), "line 2: 'nan' is not an amount"),
        (("date,cost", "2026-11-26,"), "line 2: '' is not an amount"),
        (("date,model,cost", "2026-11-26,o3,1", "2026-11-27,o3,$1,234.5"), "line 3: cells found: 4; expected: 3,"),
        (("date,model,cost", "2026-11-26,o3,1,"), "line 2: cells found: 4; expected: 3,"),
        (("date,cost", "2026-11-26"), "line 2: cells found: 1; expected: 2,"),
        (("date,cost", "2026-11-26,1", "\0\0\0"), "line 3: cells found: 1; expected: 2,"),
        (("note,date,cost", '"a', 'b",2026-11-26,1', "c,2026-11-27"), "line 4: cells found: 2; expected: 3,"),
        (("date,cost,cost", "2026-11-26,1,2"), "line 1: the column 'cost' is there twice"),
        (("date,Date ,cost", "2026-11-26,2026-11-27,1"), "line 1: the column 'date' is there twice"),
        (("date,model,model,cost", "2026-11-26,o3,o4,1"), "line 1: the column 'model' is there twice"),
        (("date,cost,amount", "2026-11-26,1,2"), "'cost' and 'amount' could both be meant; .* --cost-column"),
        (("day,date,cost", "2026-11-26,2026-11-26,1"), "'day' and 'date' could both .* --date-column"),
        (("date,model,line_item,cost", "2026-11-26,o3,o4,1"), "'model' and 'line_item' could both .* --model-column"),
        ((), "nothing is in it"),
        (("", ""), "nothing is in it"),
        (("date,cost", ""), "no row below the head"),
        (("date;model;cost", "2026-11-26;o3;1,5"), "line 1: the columns are parted by ';'; expected ','"),
        (("date\tcost", "2026-11-26\t1"), "line 1: the columns are parted by '.t'; expected ','"),
        (("date,cost,note", '2026-11-26,1,"oops', "2026-11-27,1000,"), "line 2: unexpected end of data"),
        (("date,cost,note", '2026-11-26,1,"oops', '2026-11-27,1000,"fine"'), "line 2: ',' expected after '\"'"),
        (("date,cost,currency", "2026-11-26,1,usd", "2026-11-26,1,EUR"), "line 3: the currency is 'eur'"),
        (("date,amount_value,amount_currency", "2026-11-26,1,"), "line 2: the currency is ''; expected 'usd'"),
        (("date,amount_value,amount_currency", "2026-11-26,,usd"), "line 2: '' is not an amount"),
        (("date,cost", "2026,1"), "line 2: '2026' is not a date"),
        (("date,cost", "46352,1"), "line 2: '46352' is not a date"),
        (("date,cost", "2026-11-26,1", "x" * 200_000), "line 3: field larger than field limit"),
        (("x" * 200_000, "2026-11-26,1"), "line 1: field larger than field limit"),
        (("date,cost", "20261399,1"), "line 2: '20261399' is not a date"),
        (("date,cost", "2026-11-26,1e999999"), "line 2: '1e999999' is not an amount"),
        (("date,cost", "2026-11-26,1e9999999"), "line 2: '1e9999999' is not an amount"),
        (("date,cost", "2026-11-26,-1e9999999"), "line 2: '-1e9999999' is not an amount"),
        (("date,cost", "2026-11-26,1e12"), "line 2: '1e12' is not an amount"),
        (("date,cost", "2026-11-26,1_50"), "line 2: '1_50' is not an amount"),
        (("date,cost", '2026-11-26,"1,50"'), "line 2: '1,50' is not an amount"),
        (("date,cost", '2026-11-26,"0,003"'), "line 2: '0,003' is not an amount"),
        (("date,cost", '2026-11-26,"1234,567.00"'), "line 2: '1234,567.00' is not an amount"),
        (("date,cost", '2026-11-26,"1.234,567"'), "line 2: '1.234,567' is not an amount"),
    ],
)
def test_a_bill_that_cannot_be_read_says_where(lines: Sequence[str], says: str) -> None:
    with pytest.raises(BillError, match=says):
        read_bill(lines, Columns())


@pytest.mark.parametrize(
    "text", ["20261126", "2026-11-26", "2026-11-26T23:00:00-01:00", "2026-11-27T00:30:00+01:00", "1795694400"]
)
def test_a_day_may_be_written_in_many_ways(text: str) -> None:
    (day,) = {day for day, _ in read_bill(("date,cost", f"{text},1"), Columns()).costs}
    assert day == ("2026-11-27" if text.endswith("-01:00") else "2026-11-26")


@pytest.mark.parametrize(
    ("text", "cents"),
    [("1,234.50", 123_450), ("$12,345,678", 1_234_567_800), ("-1,234", -123_400), ("1234.5", 123_450), (".5", 50)],
)
def test_a_comma_parts_groups_of_three_digits(text: str, cents: int) -> None:
    (amount,) = read_bill(("date,cost", f'2026-11-26,"{text}"'), Columns()).costs.values()
    assert amount == cents * 10_000_000


def test_columns_that_stand_twice_or_alike_do_no_harm_where_they_are_not_read() -> None:
    head = "note,date,note,,cost,,amount"
    assert read_bill((head, "a,2026-11-26,b,,1,,5"), Columns(cost="cost")).costs == {("2026-11-26", ""): 10**9}


def test_a_currency_beside_a_column_of_dollars_is_of_another_one() -> None:
    found = read_bill(("date,cost_usd,currency", "2026-11-26,1,EUR"), Columns())
    assert found.costs == {("2026-11-26", ""): 10**9}


def test_an_export_of_openai_writes_times_twice_and_days_without_costs() -> None:
    lines = (
        "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id",
        "1795651200,1795737600,2026-11-26T00:00:00+00:00,2026-11-27T00:00:00+00:00,0.8958740000000000,usd,,",
        "1795737600,1795824000,2026-11-27T00:00:00+00:00,2026-11-28T00:00:00+00:00,,,,",
    )
    found = read_bill(lines, Columns())
    assert found == ({("2026-11-26", ""): 895_874_000, ("2026-11-27", ""): 0}, False)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_bill_may_be_of_the_first_and_the_last_day_that_there_is(
    sentinel: Sentinel, store: MemoryRecords, tmp_path: Path, day: str
) -> None:
    asyncio.run(store.append(TABLE, ROWS[:1]))
    code, found = reconciled(sentinel, bill(tmp_path / "bill.csv", "date,cost", f"{day},2"), provider="echo")
    assert (code, found) == (1, [[day, "", 0, 2_000_000_000, 0, 0]])


@pytest.mark.parametrize("amount", ["1e999999", "1e9999999", "nan", "inf", "-1", "much"])
def test_a_tolerance_is_an_amount(sentinel: Sentinel, tmp_path: Path, amount: str) -> None:
    path = bill(tmp_path / "bill.csv", "date,cost", "2026-11-26,1")
    result = sentinel(
        *("cost", "reconcile", "--csv", path, "--provider", "openai", "--tolerance-usd", amount), config=CONFIG
    )
    assert (result.code, "is not an amount of dollars" in result.err) == (2, True)


def test_the_command_names_the_file(sentinel: Sentinel, tmp_path: Path) -> None:
    bill(tmp_path / "bill.csv", "date,cost", "2026-11-26,1,234")
    result = sentinel("cost", "reconcile", "--csv", "bill.csv", "--provider", "openai", config=CONFIG)
    assert (result.code, result.out) == (2, "")
    assert "bill.csv: line 2: cells found: 3" in result.told


def test_a_ledger_that_cannot_be_read_and_a_result_that_cannot_be_printed_are_no_difference(
    sentinel: Sentinel, store: MemoryRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = ("cost", "reconcile", "--csv", bill(tmp_path / "bill.csv", "date,cost", "2026-11-26,0"), "--provider", "echo")
    assert sentinel(*ask, config="[providers.echo]\n" + CONFIG).code == 0
    with monkeypatch.context() as full:
        full.setattr("sys.stdout", Full())
        result = sentinel(*ask)
    assert (result.code, result.err) == (4, CANNOT)

    async def refuse(*_: object, **__: object) -> NoReturn:
        raise Refusal("ledger_unavailable", "Not now.")

    monkeypatch.setattr(store, "aggregate", refuse)
    assert sentinel(*ask) == (3, "", "sentinel: Not now.\n")


def test_a_provider_that_nobody_knows_is_refused(sentinel: Sentinel, store: MemoryRecords, tmp_path: Path) -> None:
    asyncio.run(store.append(TABLE, ROWS))
    path = bill(tmp_path / "bill.csv", "date,cost", "2026-11-27,1", "2026-11-26,1")
    result = sentinel("cost", "reconcile", "--csv", path, "--provider", "opnai", config=CONFIG)
    assert (result.code, result.out) == (2, "")
    assert "no provider 'opnai' is configured, and the ledger has no call of it from 2026-11-26 to 2026-11-27" in (
        result.told
    )
    assert "known: echo, openai; did you mean 'openai'?" in result.told


def test_a_provider_is_known_by_its_table_or_by_the_ledger_of_these_days(
    sentinel: Sentinel, store: MemoryRecords, tmp_path: Path
) -> None:
    path = bill(tmp_path / "bill.csv", "date,cost", "2026-11-28,1")
    ask = ("cost", "reconcile", "--csv", path, "--provider", "openai")
    off = CONFIG + '[providers.echo]\n[providers.openai]\nenabled = false\napi_key = "sk-test"\n'
    assert [sentinel(*ask, config=config).code for config in (CONFIG, off)] == [2, 1]
    asyncio.run(store.append(TABLE, ROWS))
    assert sentinel(*ask, config=CONFIG).code == 0
    assert sentinel(*ask, "--csv", bill(tmp_path / "b.csv", "date,cost", "2026-12-28,1"), config=CONFIG).code == 2


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=20))
def test_sums_of_a_bill_are_exact(amounts: list[int]) -> None:
    lines = ["date,cost", *(f"2026-11-26,{Decimal(amount).scaleb(-9):f}" for amount in amounts)]
    assert sum(read_bill(lines, Columns()).costs.values()) == sum(amounts)
