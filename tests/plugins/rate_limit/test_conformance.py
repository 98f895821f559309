"""The kit's checks on `rate_limit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sentinel_core.json_types import TomlValue
from sentinel_core.testing import StageConformance
from sentinel_plugins.rate_limit.stage import RateLimit


class TestRateLimit(StageConformance):
    stage = RateLimit
    config: ClassVar[Mapping[str, TomlValue]] = {
        "max_requests": 1000,
        "window_s": 60,
        "address": {"tokens_per_minute": 10**9, "daily_usd": 5.0},
    }
    minimum: ClassVar[Mapping[str, TomlValue]] = {}
