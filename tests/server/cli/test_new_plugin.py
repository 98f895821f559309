"""`sentinel new-plugin` writes a package that works."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sentinel_server.cli import main
from tests.long_form import long_form


@long_form
def test_the_package_passes_its_own_tests(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["new-plugin", "acme-shout", "--in", str(tmp_path)])
    assert ending.value.code == 0
    package = tmp_path / "acme-shout"
    written = sorted(str(path.relative_to(package)) for path in package.rglob("*") if path.is_file())
    assert written == [
        "README.md",
        "acme_shout/__init__.py",
        "acme_shout/config.py",
        "acme_shout/masking.py",
        "acme_shout/stage.py",
        "pyproject.toml",
        "tests/conftest.py",
        "tests/test_stage.py",
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tests = subprocess.run(command, cwd=package, env={"PYTHONPATH": str(package)}, capture_output=True, text=True)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    lint = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "acme_shout"], cwd=package, capture_output=True, text=True
    )
    assert lint.returncode == 0, lint.stdout


@pytest.mark.parametrize("name", ["Acme", "1acme", "acme.words", "../acme", "acme_", "acme-"])
def test_a_name_that_no_configuration_could_use_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["new-plugin", name, "--in", str(tmp_path)])
    assert ending.value.code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_refused_is_quoted_as_it_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Acme-Words", "sentinel-gateway"):
        with pytest.raises(SystemExit):
            main(["new-plugin", name])
        assert f"'{name}' is" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("class", "Python's own"),
        ("json", "Python's own"),
        ("true", "Python's own"),
        ("none", "Python's own"),
        ("pii", "installed already"),
        ("msgspec", "can be imported"),
        ("sentinel-gateway", "a distribution that is installed"),
        ("conftest", "pytest gives a meaning"),
        ("tests", "pytest gives a meaning"),
        ("test-words", "pytest gives a meaning"),
        ("testimony", "pytest gives a meaning"),
        ("word_mask", "class WordMask"),
        ("stage", "class Stage"),
        ("stage-config", "class StageConfig"),
        ("finish", "class Finish"),
    ],
)
def test_a_name_that_is_taken_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["new-plugin", name, "--in", str(tmp_path)])
    assert ending.value.code == 2
    assert why in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    with pytest.raises(SystemExit) as ending:
        main(["new-plugin", "acme", "--in", str(tmp_path)])
    assert ending.value.code == 2


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for folder in ("file", "file/below"):
        with pytest.raises(SystemExit) as ending:
            main(["new-plugin", "acme_shout", "--in", str(tmp_path / folder)])
        assert ending.value.code == 2
    assert capsys.readouterr().err.count("cannot be written") == 2


def test_what_to_do_next_can_be_pasted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "it's mine"
    with pytest.raises(SystemExit):
        main(["new-plugin", "acme_shout", "--in", str(folder)])
    *_, install, test = shlex.split(capsys.readouterr().out.partition("Next: ")[2].replace("&& pytest", ""))
    assert (install, test) == (f"{folder / 'acme-shout'}[test]", str(folder / "acme-shout"))
