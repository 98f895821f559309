"""The kit's checks on `usage`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sentinel_core.json_types import TomlValue
from sentinel_core.testing import StageConformance
from sentinel_plugins.usage.stage import Usage


class TestUsage(StageConformance):
    stage = Usage
    config: ClassVar[Mapping[str, TomlValue]] = {"max_waiting": 100}
    minimum: ClassVar[Mapping[str, TomlValue]] = {}
