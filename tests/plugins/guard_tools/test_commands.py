"""`sentinel guard eval` and `sentinel scan` on the command line."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.long_form import long_form
from tests.server.cli.conftest import Sentinel, sentinel
from tests.server.cli.full_output import CANNOT, Full

__all__ = ["sentinel"]

CONFIG = """
[stages.pii]
entities = []
direction = "request"
custom = { LONG = { pattern = "thirteen char", max_length = 13 } }
"""
LIMITS = "[stages.input_limits]\nmax_message_chars = 12\n"
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
    assert (score["guard"], score["precision"], score["recall"]) == ("pii", 1.0, 0.5)


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


def test_lines_are_counted_as_editors_do(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("\n\nann@acme.com, bob@acme.com\n\nmy SSN is 123-45-6789\n")
    found = json.loads(sentinel("scan", "text", "--json", config=MAILS).out)
    assert [(one["type"], one["line"]) for one in found["guards"][0]["findings"]] == [
        ("EMAIL_ADDRESS", 3),
        ("EMAIL_ADDRESS", 3),
        ("US_SSN", 5),
    ]


def test_what_nobody_sees_is_told_and_is_nothing_that_was_found(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("one\nhyphen\u00adated\n")
    result = sentinel("scan", "text", config=MAILS)
    said = ["pii: masked, only characters that nobody sees  lines 2", "text: clean"]
    assert (result.code, result.out.splitlines()) == (0, said)
    (tmp_path / "text").write_text("hyphen\u00adated ann@acme.com")
    result = sentinel("scan", "text")
    assert (result.code, "nobody sees" in result.out) == (1, False)


def test_a_byte_order_mark_is_no_part_of_a_text_or_of_a_first_row(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(codecs.BOM_UTF8 + b"ann@acme.com")
    result = sentinel("scan", "text", config=MAILS)
    assert "line 1, characters 0 to 12: EMAIL_ADDRESS, redact" in result.out
    (tmp_path / "text").write_bytes(codecs.BOM_UTF8 + b"hello")
    result = sentinel("scan", "text")
    assert (result.code, result.out.splitlines()) == (0, ["pii: allowed", "text: clean"])
    (tmp_path / "rows.jsonl").write_bytes(codecs.BOM_UTF8 + GOOD.encode())
    result = sentinel("guard", "eval", "rows.jsonl")
    assert (result.code, result.out.splitlines()[0]) == (0, "2 rows, as requests")


def test_rows_from_which_only_unseen_characters_are_taken_are_no_hits(sentinel: Sentinel, tmp_path: Path) -> None:
    rows = ({"text": "hyphen\u00adated", "label": False}, {"text": "b\u200bob@acme.com", "label": True})
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (score,) = json.loads(sentinel("guard", "eval", "rows.jsonl", "--json", config=MAILS).out)["guards"]
    assert (score["true_positives"], score["false_positives"], score["true_negatives"]) == (1, 0, 1)


def test_a_file_may_have_any_name(sentinel: Sentinel, tmp_path: Path) -> None:
    name = os.fsdecode(b"n\xff.txt")
    (tmp_path / name).write_text("hello")
    assert json.loads(sentinel("scan", "--json", name, config=CONFIG).out)["file"] == "n\N{REPLACEMENT CHARACTER}.txt"
    assert sentinel("scan", name).out.splitlines()[-1] == "n\N{REPLACEMENT CHARACTER}.txt: clean"


@pytest.mark.parametrize("arguments", [("scan", "text"), ("scan", "text", "--json"), ("guard", "eval", "rows.jsonl")])
def test_a_result_that_cannot_be_printed_is_no_finding(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "text").write_text("thirteen char")
    (tmp_path / "rows.jsonl").write_text(GOOD)
    monkeypatch.setattr(sys, "stdout", Full())
    result = sentinel(*arguments, config=CONFIG)
    assert (result.code, result.err) == (4, CANNOT)


EVIL = "X\x1b[2J\x1b]0;owned\x07\u202e"


def test_what_a_file_says_moves_nothing_on_the_terminal(sentinel: Sentinel, tmp_path: Path) -> None:
    rows = ({"text": "ann@acme.com", "label": [EVIL]}, {"text": "a", "spans": [{"start": 0, "end": 1, "type": EVIL}]})
    for name in ("rows.jsonl", EVIL):
        (tmp_path / name).write_text("\n".join([*map(json.dumps, rows), json.dumps({EVIL: 1})]))
    shown = [
        sentinel("guard", "eval", "rows.jsonl", config=MAILS),
        sentinel("guard", "eval", EVIL),
        sentinel("scan", EVIL),
    ]
    (tmp_path / EVIL).write_bytes(b"\xff")
    shown.append(sentinel("scan", EVIL))
    assert [result.code for result in shown] == [3, 3, 1, 3]
    assert all("X\\u001b[2J" in result.out + result.err for result in shown)
    assert all("".join((result.out + result.err).split("\n")).isprintable() for result in shown)


@long_form
def test_a_pipe_that_nobody_reads_is_no_finding(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "sentinel_server", "scan", "text"]
    ran = subprocess.run(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (4, "sentinel: cannot print: Broken pipe\n")


def test_what_is_no_text_is_not_called_clean(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"\xff\xfe")
    result = sentinel("scan", "text", config=CONFIG)
    assert (result.code, "not UTF-8" in result.err) == (3, True)


def test_a_direction_that_is_none_is_told_with_those_that_are(sentinel: Sentinel) -> None:
    told = sentinel("scan", "--as", "foo", config=CONFIG)
    assert told.code == 2
    assert "Invalid value for '--as': 'foo' is not one of 'request', 'response'." in told.told


DEAF = CONFIG + '[stages.secrets]\n[chain]\nstages = ["pii", "secrets"]\n'


def test_a_guard_that_reads_no_answers_leaves_a_scan_of_one_whole(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    result = sentinel("scan", "--as", "response", "text", config=DEAF)
    assert (result.code, result.out.splitlines()) == (
        0,
        ["secrets: allowed", "pii: does not read responses", "text: clean"],
    )
    assert json.loads(sentinel("scan", "--as", "response", "text", "--json").out)["unasked"] == ["pii"]


def test_a_guard_that_reads_no_answers_leaves_a_data_set_of_them_measured(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(GOOD)
    result = sentinel("guard", "eval", "--as", "response", "rows.jsonl", config=DEAF)
    assert (result.code, result.err) == (0, "")
    assert "not measured" not in result.out
    assert result.out.splitlines()[-1] == "pii does not read responses"


@pytest.mark.parametrize("command", [("scan",), ("guard", "eval")])
def test_answers_that_no_guard_reads_exit_with_2(sentinel: Sentinel, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "rows.jsonl").write_text(GOOD)
    result = sentinel(*command, "--as", "response", "rows.jsonl", config=CONFIG)
    assert (result.code, result.out) == (2, "")
    assert "no guard reads responses" in result.err
    assert "pii" in result.err


def test_what_judges_sizes_is_asked_only_by_its_name(sentinel: Sentinel, tmp_path: Path) -> None:
    for name, text in (("empty", ""), ("long", "a text of many characters")):
        (tmp_path / name).write_text(text)
        result = sentinel("scan", name, config=LIMITS + CONFIG)
        assert (result.code, result.out.splitlines()) == (0, ["pii: allowed", f"{name}: clean"])
        assert sentinel("scan", name, "--guard", "input_limits").out.splitlines()[0] == "input_limits: blocked"
    (tmp_path / "rows.jsonl").write_text(GOOD)
    result = sentinel("guard", "eval", "rows.jsonl", "--json")
    assert [score["guard"] for score in json.loads(result.out)["guards"]] == ["pii"]
    result = sentinel("scan", "long", config=LIMITS)
    assert (result.code, "--guard with input_limits" in result.err) == (2, True)
