"""The installed package in a gateway: lines of TOML put it in, removing them takes it out."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentinel_core.errors import ConfigError
from sentinel_core.events import TextDelta
from sentinel_core.gateway import Gateway

GUARD = """
[stages.acme_words]
words = ["Rosebud", "Xanadu"]
mask = "▇▇▇"
on_fault = "closed"
"""
PROVIDER = """
[providers.acme_llm]
models = ["acme-1"]
"""
QUESTION = {"model": "acme-1", "messages": [{"role": "user", "content": "where is rosebud"}]}


def gateway(folder: Path, text: str) -> Gateway:
    """A gateway that is configured by a file and nothing else."""
    path = folder / "sentinel.toml"
    path.write_text(text, encoding="utf-8")
    return Gateway.load(path, environ={})


async def said(gateway: Gateway) -> tuple[str, str]:
    """The answer to the question, whole and streamed."""
    async with gateway:
        answer = await gateway.complete(QUESTION)
        async with gateway.stream(QUESTION) as events:
            streamed = [event.text async for event in events if isinstance(event, TextDelta)]
    return answer.body["choices"][0]["message"]["content"], "".join(streamed)


async def test_the_lines_put_the_guard_into_the_chain_and_removing_them_takes_it_out(tmp_path: Path) -> None:
    guarded = gateway(tmp_path, PROVIDER + GUARD)
    assert [row.name for row in guarded.chain.rows()] == ["acme_words"]
    assert await said(guarded) == ("WHERE IS ▇▇▇!", "WHERE IS ▇▇▇!")
    bare = gateway(tmp_path, PROVIDER)
    assert [row.name for row in bare.chain.rows()] == []
    assert await said(bare) == ("WHERE IS ROSEBUD!", "WHERE IS ROSEBUD!")


def test_a_typo_is_refused_with_file_table_key_and_suggestion(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        gateway(tmp_path, PROVIDER + GUARD.replace("words =", "wrods ="))
    problem = next(problem for problem in refused.value.problems if problem.key == "wrods")
    assert problem.where.endswith("sentinel.toml")
    assert problem.table == "stages.acme_words"
    assert "words" in problem.suggestion
