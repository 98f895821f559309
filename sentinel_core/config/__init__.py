"""Configuration: `sentinel.toml` and the environment, merged, checked all at once, with the source of every value."""

from sentinel_core.config.document import Document, Origin
from sentinel_core.config.effective import EffectiveValue, dump
from sentinel_core.config.load import File, Settings, load_settings, settings_from
from sentinel_core.config.secret import Secret
from sentinel_core.config.settings import (
    CatalogueSettings,
    ChainSettings,
    Count,
    HttpUrl,
    ModelSettings,
    Name,
    Seconds,
    ServerSettings,
    TargetSettings,
)
from sentinel_core.config.sources import read_file
from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.config.tables import PluginTable

__all__ = [
    "CatalogueSettings",
    "ChainSettings",
    "Count",
    "Document",
    "EffectiveValue",
    "File",
    "HttpUrl",
    "ModelSettings",
    "Name",
    "Origin",
    "PluginTable",
    "Seconds",
    "Secret",
    "ServerSettings",
    "Settings",
    "TargetSettings",
    "did_you_mean",
    "dump",
    "load_settings",
    "read_file",
    "settings_from",
]
