"""The kit's checks on `usage`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sentinel_core.testing import StageConformance
from sentinel_plugins.usage.stage import Usage


class TestUsage(StageConformance):
    stage = Usage
    config: ClassVar[Mapping[str, Any]] = {"max_waiting": 100}  # TOML
    minimum: ClassVar[Mapping[str, Any]] = {}  # TOML values
