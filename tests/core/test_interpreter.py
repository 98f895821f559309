"""What a process starts is what is installed, wherever its user stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sentinel_core.interpreter import running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of somebody who has a `secrets.py` of their own."""
    (tmp_path / "secrets.py").write_text("print('not the one of Python')")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(command: tuple[str, ...]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_module_of_the_working_folder_is_not_taken_for_an_installed_one(folder: Path) -> None:
    assert said((sys.executable, "-m", "secrets")) == "not the one of Python\n"
    assert said(running("secrets")) == ""


@pytest.mark.parametrize("entry", ["", "."])
def test_whoever_works_on_the_code_goes_on_so(folder: Path, entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [entry, *sys.path])
    assert said(running("secrets")) == "not the one of Python\n"


def test_what_a_module_is_told_stands_behind_its_name(folder: Path) -> None:
    assert running("sentinel_server", "check", "--json")[-4:] == ("-m", "sentinel_server", "check", "--json")
