"""The kit's checks on `audit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sentinel_core.testing import StageConformance
from sentinel_plugins.audit.stage import Audit


class TestAudit(StageConformance):
    stage = Audit
    config: ClassVar[Mapping[str, Any]] = {"content": True, "retention_s": 60}  # TOML
    minimum: ClassVar[Mapping[str, Any]] = {}  # TOML values


class TestRequiredAudit(StageConformance):
    stage = Audit
    config: ClassVar[Mapping[str, Any]] = {"guarantee": "required"}  # TOML
