"""Defaults written down once more (P12), and the variables that people already have."""

from __future__ import annotations

import msgspec
import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable
from sentinel_core.stage import StageConfig
from sentinel_plugins.breaker.config import BreakerConfig
from sentinel_plugins.hedge.config import HedgeConfig
from sentinel_plugins.retry.config import RetryConfig
from sentinel_plugins.routing.config import RoutingConfig

DEFAULTS: dict[type[StageConfig], TomlTable] = {
    BreakerConfig: {
        "failure_threshold": 3,
        "failure_rate": 0.5,
        "min_calls": 10,
        "window_s": 10.0,
        "recovery_timeout_s": 30.0,
        "max_recovery_timeout_s": 300.0,
        "quarantine_s": 60.0,
    },
    HedgeConfig: {"delay_s": 2.0, "max_extra": 0.05},
    RetryConfig: {"max_attempts": 3, "base_delay_s": 1.0, "max_delay_s": 40.0, "budget": 0.1},
    RoutingConfig: {"strategy": "ordered", "weights": {}, "diversify": None, "fallback_also_on": ()},
}


@pytest.mark.parametrize("config", DEFAULTS, ids=lambda config: config.__name__)
def test_p12_every_default(config: type[StageConfig]) -> None:
    common = msgspec.structs.asdict(StageConfig())
    assert msgspec.structs.asdict(config()) == common | DEFAULTS[config]


def test_s0_18_s3_12_s3_13_the_variables_set_the_tables() -> None:
    environ = {
        "RETRY_MAX_ATTEMPTS": "5",
        "RETRY_BASE_DELAY": "0.5",
        "RETRY_MAX_DELAY": "8",
        "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "7",
        "CIRCUIT_BREAKER_RECOVERY_TIMEOUT": "600",
    }
    stages = settings_from({}, environ=environ).stages
    assert stages["retry"].convert(RetryConfig) == (RetryConfig(max_attempts=5, base_delay_s=0.5, max_delay_s=8.0), [])
    wanted = BreakerConfig(failure_threshold=7, recovery_timeout_s=600.0)
    assert stages["breaker"].convert(BreakerConfig) == (wanted, [])


@pytest.mark.parametrize("window_s", [1e-320, 0.09, 0.0])
def test_a_window_that_is_too_short_to_count_in_is_refused(window_s: float) -> None:
    with pytest.raises(ConfigError, match=r"\[stages.breaker\] window_s: .* at least 0.1"):
        Gateway(settings_from({"stages": {"breaker": {"window_s": window_s}}}))


def test_the_default_order_is_routing_hedge_retry_breaker() -> None:
    gateway = Gateway(settings_from({"stages": {name: {} for name in ("breaker", "retry", "hedge", "routing")}}))
    assert [row.name for row in gateway.chain.rows()] == ["routing", "hedge", "retry", "breaker"]


def test_a_wrong_order_explains_itself() -> None:
    tables = {"chain": {"stages": ["breaker", "retry"]}, "stages": {"retry": {}, "breaker": {}}}
    with pytest.raises(ConfigError, match="'breaker' declares after 'retry'"):
        Gateway(settings_from(tables))
