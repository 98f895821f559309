"""The variables that the monitor's users already have."""

from __future__ import annotations

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable
from sentinel_plugins.health import HealthConfig


def test_s3_15_the_variable_sets_the_interval_and_turns_the_monitor_on() -> None:
    settings = settings_from({}, environ={"HEALTH_CHECK_INTERVAL_SECONDS": "5"})
    config, problems = settings.stages["health"].convert(HealthConfig)
    assert problems == []
    assert config is not None
    assert config.interval_s == 5


def test_the_routes_come_with_the_stage_only() -> None:
    echo: TomlTable = {"providers": {"echo": {}}}
    assert Gateway(settings_from(echo)).endpoints == ()
    paths = {route.path for route in Gateway(settings_from({**echo, "stages": {"health": {}}})).endpoints}
    assert {"/api/metrics", "/api/incidents", "/ws/system-events"} <= paths
