"""The `.env` reader: plain lines, quotes, comments, and nothing that needs a shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.config.dotenv import read_env_file


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("  A = b c  ", "b c"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A=b # comment", "b"),
        ("A=b#c", "b#c"),
        ("A=b=c", "b=c"),
        ("A=it's", "it's"),
        ("A='b # $c \\n'", "b # $c \\n"),
        ('A="b\\n\\"c\\" # \\\\"', 'b\n"c" # \\'),
        ('A="b" # comment', "b"),
        ("A=${B}", "${B}"),
        ("A=b\r", "b"),
    ],
)
def test_a_line_means_what_it_says(env_file: Path, line: str, value: str) -> None:
    env_file.write_text(f"\ufeff# comment\n\n{line}\n", "utf-8", newline="")
    assert read_env_file(env_file) == ({"A": value}, [])


@pytest.mark.parametrize(
    "line", ["sk-canary", "A b=sk-canary", "1A=sk-canary", "A='sk-canary", 'A="sk-canary" x', "=x"]
)
def test_a_line_that_is_none_is_named_by_its_number_and_not_shown(env_file: Path, line: str) -> None:
    env_file.write_text(f"X=1\n{line}\n")
    variables, problems = read_env_file(env_file)
    assert variables == {"X": "1"}
    assert [problem.where for problem in problems] == [f"{env_file}, line 2"]
    assert "canary" not in str(problems[0])


def test_a_name_that_is_set_twice_is_a_problem(env_file: Path) -> None:
    env_file.write_text("A=1\nA=2\n")
    assert [problem.message for problem in read_env_file(env_file)[1]] == ["A is set twice"]


def test_a_file_that_is_not_text_is_a_problem(env_file: Path) -> None:
    env_file.write_bytes(b"A=\xff")
    assert [problem.message for problem in read_env_file(env_file)[1]] == ["is not UTF-8 text"]


@given(st.text(st.characters(exclude_characters="\n\r'", exclude_categories=["Cs"])))
def test_single_quotes_keep_every_character(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.mktemp("env") / ".env"
    path.write_text(f"A='{value}'", "utf-8", newline="")
    assert read_env_file(path) == ({"A": value}, [])


@given(st.binary())
def test_any_bytes_are_read_or_explained(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("env") / ".env"
    path.write_bytes(raw)
    read_env_file(path)
