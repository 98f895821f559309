"""The stage: personal data does not reach the model, and does not come back from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from sentinel_plugins.guarding.entities import structured_pii
from sentinel_plugins.guarding.entity import Entity
from sentinel_plugins.pii.config import PiiConfig
from sentinel_plugins.pii.names.stage import Recognising


class Pii(Recognising):
    """Replaces personal data in both directions, or refuses texts that hold some."""

    name = "pii"
    Config: ClassVar[type[PiiConfig]] = PiiConfig
    family = "pii"
    counted = "pii_detections"

    @staticmethod
    def entities() -> Iterable[Entity]:
        """What belongs to people and has a form of its own."""
        return structured_pii()
