"""docs/tutorials/write-a-guard.md is walked: from `sentinel new-plugin` to the package, installed as pip would, on the
conformance kit, put into a gateway by the page's lines and called over HTTP.

`.ci/run` builds the wheel and does the same with what is in it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.examples.installed import EXAMPLES, install
from tests.promises.tree import ROOT, page, samples
from tests.served import served

PAGE = "docs/tutorials/write-a-guard.md"
PACKAGE = EXAMPLES / "acme_guard"
ECHO = '[providers.echo]\nmodels = ["m"]\n'


@pytest.fixture
def installed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the processes that a test starts."""
    site = install("acme_guard", tmp_path_factory.mktemp("site"))
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{ROOT}")


def lines() -> str:
    """The page's lines of TOML for the guard."""
    (table,) = (one for one in samples("toml") if one.page == PAGE and "[stages.acme_words]" in one.text)
    return table.text


def sentinel(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code, and what was written."""
    command = [sys.executable, "-m", "sentinel_server", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_command_of_the_page_writes_the_package_that_the_page_goes_into(tmp_path: Path) -> None:
    found = re.search(r"^sentinel (new-plugin \S+) && cd (\S+)$", page(PAGE), re.MULTILINE)
    assert found
    code, _ = sentinel(tmp_path, *found[1].split())
    assert (code, (tmp_path / found[2] / "tests" / "test_stage.py").exists()) == (0, True)
    assert "StageConformance" in (tmp_path / found[2] / "tests" / "test_stage.py").read_text("utf-8")


def test_its_own_tests_pass_the_conformance_kit_among_them(installed: None) -> None:
    assert "(StageConformance)" in (PACKAGE / "tests" / "test_words.py").read_text("utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(PACKAGE)]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_pages_lines_put_it_in_and_a_typo_is_explained(installed: None, tmp_path: Path) -> None:
    config = tmp_path / "sentinel.toml"
    config.write_text(ECHO + lines(), "utf-8")
    assert "acme-guard" in sentinel(tmp_path, "plugins")[1]
    assert "acme_words" in sentinel(tmp_path, "chain")[1]
    config.write_text(ECHO + lines().replace("words =", "wrods ="), "utf-8")
    code, told = sentinel(tmp_path, "check")
    assert code == 2
    assert all(word in told for word in ("sentinel.toml", "stages.acme_words", "wrods", "'words'"))
    config.write_text(ECHO, "utf-8")
    assert "acme_words" not in sentinel(tmp_path, "chain")[1]


def test_it_binds_on_requests_and_replies_whole_and_streamed(installed: None, tmp_path: Path) -> None:
    (tmp_path / "sentinel.toml").write_text(f"{ECHO}[stages.guard_api]\n{lines()}", "utf-8")
    with served(tmp_path) as gateway:
        address = f"{gateway.address}/v1/chat/completions"
        question = {"model": "m", "messages": [{"role": "user", "content": "say rosebud"}]}
        assert "▇▇▇" in json.loads(asked(address, question))["choices"][0]["message"]["content"]
        streamed = asked(address, {**question, "stream": True})
        assert streamed.endswith("data: [DONE]\n\n")
        assert "rosebud" not in streamed.lower()
        report = json.loads(asked(f"{gateway.address}/v1/guard", {"text": "say rosebud"}))
        assert (report["verdict"], report["guards"][0]["guard"]) == ("masked", "acme_words")


def asked(url: str, body: Any) -> str:  # JSON
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        text: str = response.read().decode()
        return text
