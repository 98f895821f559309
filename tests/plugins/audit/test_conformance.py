"""The kit's checks on `audit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sentinel_core.json_types import TomlValue
from sentinel_core.testing import StageConformance
from sentinel_plugins.audit.stage import Audit


class TestAudit(StageConformance):
    stage = Audit
    config: ClassVar[Mapping[str, TomlValue]] = {"content": True, "retention_s": 60}
    minimum: ClassVar[Mapping[str, TomlValue]] = {}


class TestRequiredAudit(StageConformance):
    stage = Audit
    config: ClassVar[Mapping[str, TomlValue]] = {"guarantee": "required"}
