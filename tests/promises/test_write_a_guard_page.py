"""docs/tutorials/write-a-guard.md is walked: its command writes the package that the page shows, which is installed as
pip would, tested, put into a gateway by the page's lines and called over HTTP.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

from sentinel_core.json_types import JsonValue
from tests.examples.installed import install
from tests.long_form import long_form
from tests.promises.tree import ROOT, Sample, samples
from tests.served import served

PAGE = "docs/tutorials/write-a-guard.md"
ECHO = '[providers.echo]\nmodels = ["m"]\n'


def blocks(language: str) -> list[Sample]:
    return [one for one in samples(language) if one.page == PAGE]


def lines() -> str:
    """The page's lines of TOML for the guard."""
    (table,) = (one.text for one in blocks("toml") if one.mark == "file: sentinel.toml")
    return table


def run(folder: Path, *command: str) -> tuple[int, str]:
    """The exit code, and what was written."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def sentinel(folder: Path, *arguments: str) -> tuple[int, str]:
    return run(folder, sys.executable, "-m", "sentinel_server", *arguments)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the first command of the page goes."""
    folder = tmp_path_factory.mktemp("page")
    here = f'sentinel() {{ "{sys.executable}" -m sentinel_server "$@"; }}\n'
    code, written = run(folder, "bash", "-euc", f"{here}{blocks('sh')[0].text}\npwd -P")
    assert code == 0, written
    return Path(written.splitlines()[-1])


@pytest.fixture
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the processes that a test starts."""
    site = install(package, tmp_path_factory.mktemp("site"))
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{ROOT}")


@long_form
def test_what_the_page_shows_is_in_the_package(package: Path) -> None:
    sources = [path.read_text("utf-8") for path in package.rglob("*.py")]
    shown = blocks("python")
    assert len(shown) == 3
    for block in shown:
        assert any(block.text.strip() in source for source in sources), block.id
    (points,) = (one.text for one in blocks("toml") if one.mark == "file: pyproject.toml")
    assert points.strip() in (package / "pyproject.toml").read_text("utf-8")


@long_form
def test_the_wheel_has_the_name_that_the_page_installs(package: Path) -> None:
    project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    wheel = f"dist/{project['name'].replace('-', '_')}-{project['version']}-py3-none-any.whl"
    assert f"\npip install {wheel}\n" in "".join(block.text for block in blocks("sh"))


@long_form
def test_its_own_tests_pass_the_conformance_kit_among_them(installed: None, package: Path) -> None:
    assert "(StageConformance)" in (package / "tests" / "test_stage.py").read_text("utf-8")
    code, written = run(package, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert code == 0, written


@long_form
def test_the_pages_lines_put_it_in_and_a_typo_is_explained(installed: None, tmp_path: Path) -> None:
    config = tmp_path / "sentinel.toml"
    config.write_text(ECHO + lines(), "utf-8")
    assert "acme-words" in sentinel(tmp_path, "plugins")[1]
    assert "acme_words" in sentinel(tmp_path, "chain")[1]
    config.write_text(ECHO + lines().replace("words =", "wrods ="), "utf-8")
    code, told = sentinel(tmp_path, "check")
    assert code == 2
    assert all(word in told for word in ("sentinel.toml", "stages.acme_words", "wrods", "'words'"))
    config.write_text(ECHO, "utf-8")
    assert "acme_words" not in sentinel(tmp_path, "chain")[1]


@long_form
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


def asked(url: str, body: JsonValue) -> str:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        text: str = response.read().decode()
        return text
