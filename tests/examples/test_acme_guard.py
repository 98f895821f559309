"""The example, installed as pip would: its own tests pass, and the lines of its page put it into the chain.

The guard over HTTP is in `tests/promises/test_write_a_guard_page.py`. `.ci/run` builds the wheel and does the same with
what is in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.installed import EXAMPLES, install
from tests.long_form import long_form
from tests.promises.tree import ROOT, samples

PAGE = "examples/acme_guard/README.md"
PACKAGE = EXAMPLES / "acme_guard"


@pytest.fixture
def installed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the processes that a test starts."""
    site = install(PACKAGE, tmp_path_factory.mktemp("site"))
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{ROOT}")


@long_form
def test_its_own_tests_pass_the_conformance_kit_among_them(installed: None) -> None:
    assert "(StageConformance)" in (PACKAGE / "tests" / "test_words.py").read_text("utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(PACKAGE)]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@long_form
def test_the_lines_of_its_page_put_guard_and_provider_in(installed: None, tmp_path: Path) -> None:
    tables = [one.text for one in samples("toml") if one.page == PAGE]
    (tmp_path / "sentinel.toml").write_text("".join(tables), "utf-8")
    command = [sys.executable, "-m", "sentinel_server", "chain"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "acme_words" in done.stdout) == (0, True)
