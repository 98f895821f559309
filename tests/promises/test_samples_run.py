"""Every block of the documentation that is marked `<!-- run -->` does what it says against a running gateway.

`<!-- run if: PACKAGE -->` runs where that package is installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.clients.nodejs import FOLDER, NODE, needs_node
from tests.long_form import long_form
from tests.promises.tree import Sample, page, samples
from tests.served import served

ADDRESS = "http://127.0.0.1:8000"


FIRST = ("README.md", "docs/tutorials/")
"""What a newcomer reads first is run every day; the other pages mostly start a client that takes a second to import."""


def marked(language: str) -> list[object]:
    found = [sample for sample in samples(language) if sample.runs]
    assert found
    return [pytest.param(one, id=one.id, marks=() if one.id.startswith(FIRST) else long_form) for one in found]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("empty")) as gateway:
        yield gateway.address


def test_every_route_of_the_openapi_document_is_documented(gateway: str) -> None:
    with urllib.request.urlopen(f"{gateway}/openapi.json") as response:
        paths = json.load(response)["paths"]
    text = page("docs/reference/endpoints.md")
    routes = {f"`{method.upper()} {path}`" for path, operations in paths.items() for method in operations}
    assert routes
    assert {route for route in routes if route not in text} == set()


@pytest.mark.parametrize("sample", marked("python"))
def test_a_python_sample_runs(sample: Sample, gateway: str, tmp_path: Path) -> None:
    if sample.needs and find_spec(sample.needs) is None:
        pytest.skip(f'no {sample.needs} here: pip install -e ".[dev]"')
    run([sys.executable, "-c", sample.text.replace(ADDRESS, gateway)], tmp_path)


@pytest.mark.parametrize("sample", marked("sh"))
def test_a_shell_sample_runs(sample: Sample, gateway: str, tmp_path: Path) -> None:
    run(["bash", "-euc", sample.text.replace(ADDRESS, gateway)], tmp_path)


@long_form
@needs_node
@pytest.mark.parametrize("sample", marked("js"))
def test_a_javascript_sample_runs(sample: Sample, gateway: str) -> None:
    run([NODE, "--input-type=module", "--eval", sample.text.replace(ADDRESS, gateway)], FOLDER)


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
