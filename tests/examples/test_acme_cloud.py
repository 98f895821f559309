"""`examples/acme_cloud`: the package of the tutorial, installed as pip would, served, and called as its page says.

`.ci/run` builds the wheels and does the same with what is in them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentinel_core.json_types import JsonValue
from tests.examples.installed import EXAMPLES, install
from tests.long_form import long_form
from tests.pace import PATIENCE_S
from tests.ports import free_port
from tests.promises.tree import ROOT, samples
from tests.served import served

PACKAGE = EXAMPLES / "acme_cloud"
PAGE = "docs/tutorials/add-a-provider.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, installed."""
    return install(EXAMPLES / "acme_cloud", tmp_path_factory.mktemp("site"))


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the processes that a test starts."""
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{ROOT}")


@pytest.fixture
def acme() -> Iterator[str]:
    """An Acme Cloud in a process of its own, as the page starts one; its base URL."""
    port = free_port()
    command = [sys.executable, str(PACKAGE / "tests" / "acme.py"), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)  # another process's start can only be polled
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@long_form
def test_its_own_tests_pass(installed: None) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(PACKAGE)]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@long_form
def test_the_pages_configuration_puts_its_models_behind_the_gateway(
    installed: None, acme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (table,) = (sample for sample in samples("toml") if sample.page == PAGE and "base_url" in sample.text)
    text = table.text.replace("http://127.0.0.1:9000/v1", acme)
    (tmp_path / "sentinel.toml").write_text(text, "utf-8")
    monkeypatch.setenv("ACME_API_KEY", "key-1")
    with served(tmp_path) as gateway:
        models = _asked(f"{gateway.address}/v1/models")
        assert [model["id"] for model in models["data"]] == ["acme-1"]
        question = {"model": "acme-1", "messages": [{"role": "user", "content": "Who is there?"}]}
        answer = _asked(f"{gateway.address}/v1/chat/completions", question)
        assert answer["choices"][0]["message"]["content"] == "Hello there"
        health = _asked(f"{gateway.address}/health")
        assert health["checks"]["providers"]["acme_cloud"]["status"] == "healthy"


def _asked(url: str, body: JsonValue = None) -> JsonValue:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)
