"""Answers that come before the body has: what is read of it, and for how long. Reliability 0.9, H26."""

from __future__ import annotations

import pytest

from sentinel_core.config import ServerSettings
from sentinel_server.edge import Edge, body
from tests.server.asgi_client import AsgiClient
from tests.server.edge_fixture import Inner, Life

CAP = 1000


def early(http_version: str) -> AsgiClient:
    """A client that announces more than the cap and has sent nothing yet."""
    settings = ServerSettings(max_body_bytes=CAP)
    edge = Edge(Inner(settings), Life(), settings, exact={})
    return AsgiClient(edge, body=None, length=CAP * 10, http_version=http_version)


@pytest.mark.parametrize("http_version", ["1.1", "2"])
async def test_0_9_an_early_answer_is_complete_at_once_but_ends_with_the_clients_body(http_version: str) -> None:
    client = early(http_version)
    start, answer = await client.next(), await client.next()
    assert start["status"] == 413
    assert (len(answer["body"]) > 0, answer["more_body"]) == (True, True)
    client.upload(b"x" * CAP)
    assert client.outbox.empty()
    client.upload(b"", more=False)
    assert await client.next() == {"type": "http.response.body", "body": b"", "more_body": False}
    await client.ended()


async def test_0_9_http_2_has_no_connection_header() -> None:
    client = early("2")
    client.upload(b"", more=False)
    await client.ended()
    assert "connection" not in client.answer.headers


async def test_0_9_a_client_that_leaves_meanwhile_ends_the_wait() -> None:
    client = early("2")
    client.leave()
    await client.ended()
    assert client.answer.status == 413


async def test_h26_a_client_that_never_ends_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LINGER_S", 0.1)
    client = early("1.1")
    await client.ended()
    assert client.answer.headers["connection"] == "close"


async def test_h26_a_client_that_sends_without_end_is_cut_off_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LINGER_BYTES", CAP)
    client = early("1.1")
    for _ in range(10):
        client.upload(b"x" * CAP)
    await client.ended()
    assert client.inbox.qsize() > 5


async def test_h26_a_body_without_a_length_is_not_held_beyond_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LINGER_S", 0.1)
    held: list[int] = []

    async def receive() -> dict[str, object]:
        held.append(CAP)
        return {"type": "http.request", "body": b"x" * CAP, "more_body": True}

    _, read = await body._read_on(receive, b"", CAP)
    assert len(read) <= 2 * CAP
    assert len(held) == 2
