"""The kit's checks on `metrics`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sentinel_core.testing import StageConformance
from sentinel_plugins.metrics.stage import Metrics


class TestMetrics(StageConformance):
    stage = Metrics
    config: ClassVar[Mapping[str, Any]] = {"policy": "caller"}  # TOML
    minimum: ClassVar[Mapping[str, Any]] = {}  # TOML values
