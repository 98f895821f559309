"""The stage whose table brings the route."""

from __future__ import annotations

from typing import ClassVar

from sentinel_core.stage import Stage
from sentinel_plugins.guard_tools.config import GuardApiConfig


class GuardApi(Stage):
    """Does nothing with requests: `POST /v1/guard` stands beside the chain, and asks its guards."""

    name: ClassVar[str] = "guard_api"
    Config: ClassVar[type[GuardApiConfig]] = GuardApiConfig
    observer: ClassVar[bool] = True
