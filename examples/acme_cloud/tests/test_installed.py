"""The installed package in a gateway: three lines of TOML, and its models answer clients of any dialect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.errors import ConfigError, UpstreamError
from sentinel_core.events import Event, Finish, TextDelta
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject

from .acme import Acme, acme_cloud

TABLE = """
[providers.acme_cloud]
base_url = "{url}"
api_key = {{ env = "ACME_API_KEY" }}
"""
FALLBACK = """
[providers.echo]

[[models]]
name = "acme-1"
targets = [{ provider = "acme_cloud" }, { provider = "echo" }]

[stages.routing]
"""
QUESTION: JsonObject = {"model": "acme-1", "messages": [{"role": "user", "content": "Who is there?"}]}


@asynccontextmanager
async def gateway(folder: Path, more: str = "") -> AsyncIterator[tuple[Gateway, Acme]]:
    """A gateway that is configured by a file and nothing else, in front of an Acme Cloud."""
    async with acme_cloud() as (acme, url):
        path = folder / "sentinel.toml"
        path.write_text(TABLE.format(url=url) + more, encoding="utf-8")
        async with Gateway.load(path, environ={"ACME_API_KEY": "key-1"}) as live:
            yield live, acme


async def test_it_answers_whole_and_streamed_alike(tmp_path: Path) -> None:
    async with gateway(tmp_path) as (live, acme):
        answer = await live.complete({**QUESTION, "max_tokens": 9, "temperature": 0.5})
        async with live.stream(QUESTION) as events:
            streamed = "".join([event.text async for event in events if isinstance(event, TextDelta)])
    assert answer.body["choices"][0]["message"]["content"] == streamed == "Hello there"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5
    turns = [{"by": "guest", "says": "Who is there?"}]
    assert acme.asked[0] == {"voice": "acme-1", "turns": turns, "live": False, "at_most": 9, "warmth": 0.5}
    assert acme.keys == ["Bearer key-1"] * 2


async def test_a_client_of_anthropics_format_is_answered_in_it(tmp_path: Path) -> None:
    async with gateway(tmp_path) as (live, acme):
        body = {"model": "acme-1", "max_tokens": 9, "system": "Be kind.", "messages": QUESTION["messages"]}
        answer = await live.complete(body, dialect=ANTHROPIC_MESSAGES)
    assert answer.body["content"] == [{"type": "text", "text": "Hello there"}]
    assert [turn["by"] for turn in acme.asked[0]["turns"]] == ["director", "guest"]


async def test_what_acme_cannot_be_told_is_named(tmp_path: Path) -> None:
    async with gateway(tmp_path) as (live, _):
        answer = await live.complete({**QUESTION, "seed": 7, "tools": []})
    assert answer.dropped == ("seed", "tools")


@pytest.mark.parametrize(
    ("problem", "code", "wire_code"),
    [
        ((400, "too_long"), "invalid_request", "context_length_exceeded"),
        ((400, "improper"), "invalid_request", "content_filter"),
        ((402, "unpaid"), "overloaded", "upstream_quota"),
        ((401, "unknown"), "upstream_auth_error", None),
        ((429, "busy"), "rate_limit_exceeded", None),
        ((500, "broken"), "upstream_error", None),
    ],
)
async def test_an_error_means_what_it_means_everywhere(
    tmp_path: Path, problem: tuple[int, str], code: str, wire_code: str | None
) -> None:
    async with gateway(tmp_path) as (live, acme):
        acme.problem = problem
        with pytest.raises(UpstreamError) as failed:
            await live.complete(QUESTION)
    assert (failed.value.code, failed.value.wire_code) == (code, wire_code)


async def test_a_stream_that_is_cut_off_is_an_error_and_no_success(tmp_path: Path) -> None:
    seen: list[Event] = []

    async def read(live: Gateway) -> None:
        async with live.stream(QUESTION) as events:
            async for event in events:
                seen.append(event)

    async with gateway(tmp_path) as (live, acme):
        acme.cut = True
        with pytest.raises(UpstreamError, match="upstream_stream_interrupted"):
            await read(live)
    assert any(isinstance(event, TextDelta) for event in seen)
    assert not any(isinstance(event, Finish) for event in seen)


async def test_it_takes_over_and_is_relieved_like_any_other(tmp_path: Path) -> None:
    async with gateway(tmp_path, FALLBACK) as (live, acme):
        acme.problem = (503, "closed")
        answer = await live.complete(QUESTION)
    assert "Who is there?" in answer.body["choices"][0]["message"]["content"]


def test_a_typo_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.toml"
    path.write_text('[providers.acme_cloud]\nbase_ulr = "http://127.0.0.1:9"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        Gateway.load(path, environ={})
    assert "base_url" in str(refused.value)
