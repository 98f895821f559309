"""The stage: personal data does not reach the model, and does not come back from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from sentinel_core.context import Context
from sentinel_core.messages import Path
from sentinel_plugins.guarding.entities import structured_pii
from sentinel_plugins.guarding.entity import Entity
from sentinel_plugins.guarding.policy import Direction
from sentinel_plugins.guarding.redaction import Redaction
from sentinel_plugins.guarding.replacing import Action, Replacement
from sentinel_plugins.guarding.stage import PLACEHOLDERS
from sentinel_plugins.pii.config import PiiConfig
from sentinel_plugins.pii.names.stage import Recognising
from sentinel_plugins.pii.restoration import Restoring
from sentinel_plugins.pii.reversible import SaidAgain, TakenOut
from sentinel_plugins.pii.vault import VAULT


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

    def _replacements(self, ctx: Context, direction: Direction) -> Mapping[Action, Replacement]:
        replacements = super()._replacements(ctx, direction)
        if self._hash_key is None:
            return replacements
        taken = direction == "request"
        reversible = TakenOut(self._hash_key, ctx) if taken else SaidAgain(ctx.get(VAULT))
        return {**replacements, "reversible": reversible}

    def _apply(self, ctx: Context, redaction: Redaction, changes: Mapping[Path, str]) -> None:
        """What was taken out for the time of the call goes back into the reply."""
        super()._apply(ctx, redaction, changes)
        reversible = redaction.replacements.get("reversible")
        if isinstance(reversible, TakenOut) and reversible.vault is not None:
            ctx[VAULT] = reversible.vault
            ctx[PLACEHOLDERS] = frozenset(map(str.lower, reversible.vault.placeholders))
            ctx.restore_with(Restoring(reversible.vault, ctx.request))
