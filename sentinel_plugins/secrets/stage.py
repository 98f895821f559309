"""The stage: keys, tokens and passwords do not reach the model, and do not come back from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from sentinel_plugins.guarding.entities import secrets
from sentinel_plugins.guarding.entity import Entity
from sentinel_plugins.guarding.stage import Replacing
from sentinel_plugins.secrets.config import SecretsConfig


class Secrets(Replacing):
    """Replaces secrets in both directions, or refuses texts that hold some."""

    name = "secrets"
    Config: ClassVar[type[SecretsConfig]] = SecretsConfig
    family = "secret"
    counted = "secrets_detections"

    @staticmethod
    def entities() -> Iterable[Entity]:
        """What opens doors."""
        return secrets()
