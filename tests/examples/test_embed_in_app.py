"""`examples/embed_in_app`: the application with its mount, and the script without HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from openai import OpenAI

from tests.long_form import long_form
from tests.pace import PATIENCE_S

FOLDER = Path(__file__).parent.parent.parent / "examples" / "embed_in_app"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application's address, served by the README's command; stopped as by Ctrl-C it has to exit with 0."""
    log = tmp_path_factory.mktemp("embedded") / "serve.log"
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
        command = [sys.executable, "-m", "hypercorn", "app:app", "--bind", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(
            command, cwd=FOLDER, stdout=output, stderr=subprocess.STDOUT, pass_fds=[listener.fileno()]
        )
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        _wait_until_ready(process, address, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == 0, log.read_text("utf-8")


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/llm/health/ready", timeout=5).close()
        except OSError:
            time.sleep(0.05)  # another process's start can only be polled
        else:
            return
    raise AssertionError(f"the application does not serve:\n{log.read_text('utf-8')}")


def test_the_gateway_answers_below_the_hosts_own_route(host: str) -> None:
    with OpenAI(base_url=f"{host}/llm/v1", api_key="none", max_retries=0) as client:
        answer = client.chat.completions.create(model="echo", messages=[{"role": "user", "content": "hello there"}])
        assert answer.choices[0].message.content == "hello there"
        assert [model.id for model in client.models.list()] == ["echo"]


def test_a_stream_leaves_the_mounted_gateway_in_pieces(host: str) -> None:
    with OpenAI(base_url=f"{host}/llm/v1", api_key="none", max_retries=0) as client:
        chunks = client.chat.completions.create(
            model="echo", messages=[{"role": "user", "content": "one two three"}], stream=True
        )
        texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert [text for text in texts if text] == ["one ", "two ", "three"]


def test_the_hosts_own_route_asks_the_same_chain(host: str) -> None:
    with urllib.request.urlopen(f"{host}/ask?question=who") as response:
        assert (response.read(), response.headers["content-type"]) == (b"who", "text/plain; charset=utf-8")


def test_the_hosts_own_route_says_what_it_lacks(host: str) -> None:
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"{host}/ask")
    with refused.value as answer:
        assert (answer.code, answer.read().startswith(b"Say what you want to know")) == (400, True)


@long_form
def test_the_script_asks_without_http() -> None:
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=FOLDER, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "One chain, two ways in.\nOne |chain, |two |ways |in.|\n"
