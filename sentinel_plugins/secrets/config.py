"""`[stages.secrets]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sentinel_plugins.guarding.config import EntityName, ReplacingConfig
from sentinel_plugins.guarding.entity_names import SECRETS


class SecretsConfig(ReplacingConfig, frozen=True, kw_only=True):
    """Which secrets are looked for, and what is done about them. To watch first, set `mode = "monitor"`."""

    known = SECRETS

    action: Literal["block", "redact"] = "redact"
    """What is done about a secret: `block` refuses the request or the reply, `redact` writes its kind."""
    actions: Mapping[EntityName, Literal["block", "redact"]] = {}
    """The same for single entities: `PRIVATE_KEY = "block"`."""
