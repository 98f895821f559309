"""P8: what the encoders write, keep-alive comments and errors included, is read as equal objects by real clients."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from hypothesis import given

from sentinel_core.json_types import JsonObject
from tests.clients.nodejs import FOLDER, NODE, needs_node
from tests.clients.playback import Playback, playback
from tests.clients.written import Written, written_chats, written_messages
from tests.properties import promised


class NodeReaders:
    """`readers.mjs`, running."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def read(self, name: str) -> JsonObject:
        """What this reader finds in the stream that the playback plays now."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        found: JsonObject = json.loads(self._process.stdout.readline())
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[Playback]:
    with playback() as server:
        yield server


@pytest.fixture(scope="module")
def gpt(server: Playback) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def claude(server: Playback) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def readers(server: Playback) -> Iterator[NodeReaders]:
    command = [NODE, "readers.mjs", server.url]
    with subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield NodeReaders(process)
        assert process.stdin is not None
        process.stdin.close()


def message_of(written: Written) -> str | None:
    return None if written.error is None else written.error.message


@promised()
@given(written=written_chats())
def test_p8_openai_for_python_reads_equal_objects(server: Playback, gpt: openai.OpenAI, written: Written) -> None:
    server.pieces = written.pieces
    objects, error = [], None
    try:
        for chunk in gpt.chat.completions.create(model="m", messages=[], stream=True):
            objects.append(chunk.to_dict())
    except openai.APIError as raised:
        error = raised.message
    assert (objects, error) == (written.objects, message_of(written))


@promised()
@given(written=written_messages())
def test_p8_anthropic_for_python_reads_equal_objects(
    server: Playback, claude: anthropic.Anthropic, written: Written
) -> None:
    server.pieces = written.pieces
    objects, error = [], None
    try:
        for event in claude.messages.create(model="m", max_tokens=9, messages=[], stream=True):
            objects.append(event.to_dict())
    except anthropic.APIError as raised:
        body: Any = raised.body  # the client knows no type for it
        error = body["error"]["message"]
    assert (objects, error) == (written.objects, message_of(written))


@needs_node
@promised()
@given(written=written_chats())
def test_p8_openai_for_node_reads_equal_objects(server: Playback, readers: NodeReaders, written: Written) -> None:
    server.pieces = written.pieces
    found = readers.read("openai")
    assert found["objects"] == written.objects
    assert found.get("error", {}).get("message") == message_of(written)


@needs_node
@promised()
@given(written=written_chats() | written_messages())
def test_p8_eventsource_parser_reads_equal_objects(server: Playback, readers: NodeReaders, written: Written) -> None:
    server.pieces = written.pieces
    events = readers.read("eventsource-parser")["objects"]
    assert all(event.keys() <= {"event", "data"} for event in events)
    bodies = [json.loads(event["data"]) for event in events if event["data"] != "[DONE]"]
    if written.error is not None:
        assert bodies.pop()["error"]["message"] == written.error.message
    assert bodies == written.objects
    named = [event["event"] for event in events if "event" in event]
    assert named in (
        [],
        [*(body["type"] for body in written.objects if "type" in body), *["error"] * bool(written.error)],
    )
