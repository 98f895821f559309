"""Which targets serve a model, and which models `GET /v1/models` lists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from sentinel_core.config import ModelSettings
from sentinel_core.keys import Target
from sentinel_core.provider import Provider

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")


class ModelInfo(msgspec.Struct, frozen=True):
    """One model as OpenAI's list shows it. `created` is seconds since the epoch."""

    id: str
    created: int
    owned_by: str


class Catalogue:
    """Models to targets, decided once per generation.

    A name in `[[models]]` is served by its targets; a name that a provider lists, by that provider. A provider without
    a list takes every name that reads like a model's: the upstream knows better than this gateway what it serves.
    """

    __slots__ = ("_open", "_targets", "models")

    def __init__(self, models: Sequence[ModelSettings], providers: Mapping[str, Provider], created: int) -> None:
        self._targets: dict[str, tuple[Target, ...]] = {}
        owners: dict[str, str] = {}
        for model in models:
            targets = tuple(Target(target.provider, target.model or model.name) for target in model.targets)
            self._targets[model.name] = targets
            owners[model.name] = targets[0].provider
        for name, provider in providers.items():
            for offered in provider.models():
                self._targets.setdefault(offered, (Target(name, offered),))
                owners.setdefault(offered, name)
        self._open = next((name for name, provider in providers.items() if not provider.models()), None)
        self.models = tuple(ModelInfo(name, created, owner) for name, owner in owners.items())

    def candidates(self, model: str | None) -> tuple[Target, ...]:
        """Every target that serves the model; empty if none does. Without a name, those of the first model listed."""
        if model is None:
            return self._targets[self.models[0].id] if self.models else ()
        targets = self._targets.get(model)
        if targets is not None:
            return targets
        if self._open is not None and _SANE.fullmatch(model) and ".." not in model:
            return (Target(self._open, model),)
        return ()
