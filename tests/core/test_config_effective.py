"""`Settings.effective`: what is in force, and who said so."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.core.configuration import UpstreamConfig, load, upstream


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_value_is_shown_with_its_source_and_secrets_masked() -> None:
    settings = load("[server]\nport = 1\n[chain]\nstages = []", OPENAI_API_KEY="sk-1", LOG_LEVEL="DEBUG")
    upstream(settings)
    shown = {f"{value.table}.{value.key}": value for value in settings.effective()}
    assert shown["server.port"][2:] == ("1", "sentinel.toml")
    assert shown["server.log_level"][2:] == ('"debug"', "LOG_LEVEL")
    assert shown["server.host"][2:] == ('"127.0.0.1"', "default")
    assert shown["chain.stages"][2:] == ("[]", "sentinel.toml")
    assert shown["providers.openai.api_key"][2:] == ('{ env = "OPENAI_API_KEY" }', "OPENAI_API_KEY")
    assert shown["providers.openai.organization"][2:] == ("(none)", "default")
    assert len(shown) == len(msgspec.structs.fields(settings.server)) + 2 + len(msgspec.structs.fields(UpstreamConfig))


def test_models_are_shown_target_by_target() -> None:
    settings = load('[[models]]\nname = "a"\ntargets = [{ provider = "echo" }]')
    assert [value for value in settings.effective() if value.table.startswith("models")] == [
        ("models[0]", "name", '"a"', "sentinel.toml"),
        ("models[0].targets[0]", "provider", '"echo"', "sentinel.toml"),
        ("models[0].targets[0]", "model", "(none)", "default"),
    ]
