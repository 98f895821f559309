"""The stage: personal data does not reach the model, and does not come back from it."""

from __future__ import annotations

from typing import ClassVar

from sentinel_plugins.guarding.stage import Replacing
from sentinel_plugins.pii.config import PiiConfig


class Pii(Replacing):
    """Replaces personal data in both directions, or refuses texts that hold some."""

    name = "pii"
    Config: ClassVar[type[PiiConfig]] = PiiConfig
    family = "pii"
    counted = "pii_detections"
