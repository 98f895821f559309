"""The kit's checks on `metrics`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sentinel_core.json_types import TomlValue
from sentinel_core.testing import StageConformance
from sentinel_plugins.metrics.stage import Metrics


class TestMetrics(StageConformance):
    stage = Metrics
    config: ClassVar[Mapping[str, TomlValue]] = {"policy": "caller"}
    minimum: ClassVar[Mapping[str, TomlValue]] = {}
