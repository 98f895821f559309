"""`sentinel guard eval` and `sentinel scan` on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.server.cli.conftest import Sentinel, sentinel

__all__ = ["sentinel"]

CONFIG = "[stages.input_limits]\nmax_message_chars = 12\n"
GOOD = '{"text": "thirteen char", "label": true}\n{"text": "hello", "label": false}\n'
MISSED = '{"text": "hello", "label": true}\n'


def test_a_data_set_is_measured(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(GOOD)
    result = sentinel("guard", "eval", "rows.jsonl", config=CONFIG)
    assert (result.code, result.err) == (0, "")
    assert "precision 1.000  recall 1.000" in result.out
    assert "\x1b" not in result.out  # no terminal, no colour


def test_numbers_are_json_for_programs(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(GOOD + MISSED)
    found = json.loads(sentinel("guard", "eval", "rows.jsonl", "--json", config=CONFIG).out)
    (score,) = found["guards"]
    assert (score["guard"], score["precision"], score["recall"]) == ("input_limits", 1.0, 0.5)


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--min-recall", "0.6"), 1), (("--min-precision", "1"), 0)])
def test_a_threshold_that_is_missed_is_the_exit_code(
    sentinel: Sentinel, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    (tmp_path / "rows.jsonl").write_text(GOOD + MISSED)
    assert sentinel("guard", "eval", "rows.jsonl", *arguments, config=CONFIG).code == code


def test_bad_rows_of_standard_input_are_told_by_line(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("no JSON\n" + GOOD)
    with rows.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        result = sentinel("guard", "eval", "-", config=CONFIG)
    assert result.code == 3
    assert "rows.jsonl:1: " in result.err
    assert "2 rows" in result.out


def test_a_configuration_without_a_guard_or_a_file_that_is_not_there_exits_with_2(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("hello")
    result = sentinel("scan", "text", config="[stages.usage]\n")
    assert (result.code, "no guard is enabled" in result.err) == (2, True)
    assert sentinel("scan", "nowhere", config=CONFIG).code == 2


@pytest.mark.parametrize(("text", "code", "said"), [(b"hello", 0, "clean"), (b"thirteen char", 1, "found")])
def test_a_scan_says_what_was_found_and_nothing_of_the_text(
    sentinel: Sentinel, tmp_path: Path, text: bytes, code: int, said: str
) -> None:
    (tmp_path / "text").write_bytes(text)
    result = sentinel("scan", "text", config=CONFIG)
    assert (result.code, result.out.splitlines()[-1]) == (code, f"text: {said}")
    assert text.decode() not in result.out + result.err
    assert json.loads(sentinel("scan", "text", "--json").out)["result"] == said


MAILS = "[stages.pii]\n"


def test_places_are_printed_and_measured(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\nann@acme.com")
    result = sentinel("scan", "text", config=MAILS)
    assert result.code == 1
    assert "line 2, characters 6 to 18: EMAIL_ADDRESS, redact" in result.out
    spans = [{"start": 0, "end": 12, "type": "EMAIL_ADDRESS"}]
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": "ann@acme.com", "spans": spans}))
    result = sentinel("guard", "eval", "rows.jsonl", config=MAILS)
    assert "by places: precision 1.000  recall 1.000" in result.out
    assert "EMAIL_ADDRESS                  1        1      1" in result.out


def test_what_is_no_text_is_not_called_clean(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"\xff\xfe")
    result = sentinel("scan", "text", config=CONFIG)
    assert (result.code, "not UTF-8" in result.err) == (3, True)


DEAF = CONFIG + '[stages.secrets]\n[chain]\nstages = ["input_limits", "secrets"]\n'


def test_a_guard_that_reads_no_answers_leaves_a_scan_of_one_whole(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    result = sentinel("scan", "--as", "response", "text", config=DEAF)
    assert (result.code, result.out.splitlines()) == (
        0,
        ["secrets: allowed", "input_limits: does not read responses", "text: clean"],
    )
    assert json.loads(sentinel("scan", "--as", "response", "text", "--json").out)["unasked"] == ["input_limits"]


def test_a_guard_that_reads_no_answers_leaves_a_data_set_of_them_measured(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(GOOD)
    result = sentinel("guard", "eval", "--as", "response", "rows.jsonl", config=DEAF)
    assert (result.code, result.err) == (0, "")
    assert "not measured" not in result.out
    assert result.out.splitlines()[-1] == "input_limits does not read responses"


@pytest.mark.parametrize("command", [("scan",), ("guard", "eval")])
def test_answers_that_no_guard_reads_exit_with_2(sentinel: Sentinel, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "rows.jsonl").write_text(GOOD)
    result = sentinel(*command, "--as", "response", "rows.jsonl", config=CONFIG)
    assert (result.code, result.out) == (2, "")
    assert "no guard reads responses" in result.err
    assert "input_limits" in result.err
