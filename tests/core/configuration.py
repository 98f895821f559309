"""What the tests of configuration share: a provider's table, and ways to load settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sentinel_core.config import HttpUrl, Name, Seconds, Secret, Settings, load_settings
from sentinel_core.errors import ConfigError
from sentinel_core.provider import ProviderConfig


class UpstreamConfig(ProviderConfig, frozen=True, kw_only=True):
    base_url: HttpUrl = "https://api.openai.com/v1"
    api_key: Secret | None = None
    first_byte_timeout_s: Seconds = 60.0
    organization: Name | None = None


def load(text: str = "", **environ: str) -> Settings:
    Path("sentinel.toml").write_text(text, "utf-8")
    return load_settings(environ=environ)


def problems(text: str = "", **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text, **environ)
    return [str(problem) for problem in caught.value.problems]


def settings_or_error(load: Callable[[], Settings]) -> Settings | ConfigError:
    try:
        return load()
    except ConfigError as error:
        return error


def upstream(settings: Settings, name: str = "openai") -> UpstreamConfig:
    config, found = settings.providers[name].convert(UpstreamConfig)
    assert found == []
    assert config is not None
    return config
