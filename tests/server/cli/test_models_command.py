"""`sentinel models`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.server.cli.conftest import Sentinel


def test_it_lists_models_that_answer_with_size_price_and_trust(sentinel: Sentinel) -> None:
    result = sentinel("models")
    lines = {line.split()[0]: line.split() for line in result.out.splitlines()[2:]}
    assert (result.code, result.err) == (0, "")
    assert lines["claude-opus-5"] == [
        "claude-opus-5",
        "anthropic",
        "current",
        "1,000,000",
        "128,000",
        "5",
        "25",
        "documented",
    ]
    assert "gpt-4" not in lines


def test_all_shows_retired_models_with_their_successors(sentinel: Sentinel) -> None:
    lines = {line.split()[0]: line.split() for line in sentinel("models", "--all").out.splitlines()[2:]}
    assert lines["gpt-4"][2:5] == ["retired", "2026-10-23", "gpt-5.6-terra"]


def test_json_has_every_key_and_the_day(sentinel: Sentinel) -> None:
    found = json.loads(sentinel("models", "--json", "--all").out)
    models = {model["id"]: model for model in found["models"]}
    assert found["dated"] == "2026-11-21"
    assert (models["gpt-4"]["status"], models["gpt-4"]["shutdown_date"]) == ("retired", "2026-10-23")
    assert models["gpt-4o-mini"]["default"] is True


def test_the_operators_own_file_counts(sentinel: Sentinel) -> None:
    Path("own.toml").write_text('[[models]]\nid = "mine"\nprovider = "openai"\n', "utf-8")
    assert "mine" in sentinel("models", config='[catalogue]\nfile = "own.toml"\n').out
