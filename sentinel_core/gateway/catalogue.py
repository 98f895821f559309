"""Which targets serve a model, and which models `GET /v1/models` lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import msgspec

from sentinel_core.config import ModelSettings
from sentinel_core.gateway.checked_open import names_of
from sentinel_core.keys import Target
from sentinel_core.model_facts import ModelCatalogue
from sentinel_core.provider import Provider
from sentinel_core.services import Clock

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")


class ModelInfo(msgspec.Struct, frozen=True):
    """One model as OpenAI's list shows it. `created` is seconds since the epoch."""

    id: str
    created: int
    owned_by: str


class Knowledge(NamedTuple):
    """What a catalogue of models says, for the kinds of the open providers by their tables' names."""

    models: ModelCatalogue
    kinds: Mapping[str, str]
    clock: Clock

    def today(self) -> date:
        """The day in UTC: models are shut down while gateways run."""
        return datetime.fromtimestamp(self.clock.time(), UTC).date()


class Catalogue:
    """Models to targets, decided once per generation.

    A name in `[[models]]` is served by its targets; a name that a provider lists, by that provider. Of the providers
    without a list, which take every name that reads like a model's, the one where the model is known to live gets it,
    else the first (C-05): the upstream knows better than this gateway what it serves. Behind each target come the same
    provider's other keys (`same_as`).
    """

    __slots__ = ("_created", "_keys", "_knowledge", "_open", "_providers", "_targets", "models")

    def __init__(
        self, models: Sequence[ModelSettings], providers: Mapping[str, Provider], created: int, knowledge: Knowledge
    ) -> None:
        self._knowledge = knowledge
        self._created = created
        self._keys = {name: provider.config.same_as for name, provider in providers.items() if provider.config.same_as}
        self._providers = {name: provider for name, provider in providers.items() if name not in self._keys}
        self._targets: dict[str, tuple[Target, ...]] = {}
        for model in models:
            named = [(target.provider, target.model or model.name) for target in model.targets]
            self._targets[model.name] = self._with_keys(self._target(*one) for one in named)
        listed = {name: names_of(provider, "models", name) for name, provider in self._providers.items()}
        for name, models_of in listed.items():
            for offered in models_of:
                self._targets.setdefault(offered, self._with_keys((Target(name, offered),)))
        self._open = tuple(name for name, models_of in listed.items() if not models_of)
        self.models = tuple(ModelInfo(name, created, targets[0].provider) for name, targets in self._targets.items())

    def listed(self, *names: str) -> tuple[ModelInfo, ...]:
        """`models`, each `default_model`, and what is known to live today at the providers without a list; with names,
        those of them that are served, listed or not."""
        asked = names or dict.fromkeys([*self._targets, *self._known(self._knowledge.today())])
        found = ((name, self.candidates(name)) for name in asked)
        return tuple(ModelInfo(name, self._created, targets[0].provider) for name, targets in found if targets)

    def candidates(self, model: str | None) -> tuple[Target, ...]:
        """Every target that serves the model; empty if none does. Without a name, an automatic choice."""
        if model is None:
            return self._automatic()
        targets = self._targets.get(model)
        if targets is not None:
            return targets
        if self._open and _SANE.fullmatch(model) and ".." not in model:
            return self._with_keys((Target(self._home(model), model),))
        return ()

    def _target(self, provider: str, model: str) -> Target:
        return Target(provider, model, self._keys.get(provider, ""))

    def _with_keys(self, targets: Iterable[Target]) -> tuple[Target, ...]:
        """Each target, and behind it the same model by the provider's other keys; none twice."""
        if not self._keys:
            return tuple(targets)
        found: dict[Target, None] = {}
        for target in targets:
            found[target] = None
            twins = (name for name, same_as in self._keys.items() if same_as == target.provider)
            found |= dict.fromkeys(self._target(name, target.model) for name in twins)
        return tuple(found)

    def _home(self, model: str) -> str:
        facts = self._knowledge.models.find(model)
        kinds = self._knowledge.kinds
        at_home = (name for name in self._open if facts is not None and kinds.get(name) == facts.provider)
        return next(at_home, self._open[0])

    def _known(self, today: date) -> Iterator[str]:
        known = self._knowledge.models
        for provider in self._providers.values():
            chosen = provider.config.default_model
            if chosen is not None and (model := known.living(chosen, today)) is not None:
                yield model
        homes = {self._knowledge.kinds.get(name) for name in self._open}
        for facts in known.models():
            answers = facts.default or facts.status != "unknown"  # which depends on the host
            if facts.provider in homes and answers and not facts.retired(today):
                yield facts.id

    def _automatic(self) -> tuple[Target, ...]:
        """The first listed model that still answers; with a `default_model` anywhere, or without a list, the models
        that stand for their providers, in the order of the tables. Never a retired one."""
        today = self._knowledge.today()
        if self.models and not any(provider.config.default_model for provider in self._providers.values()):
            listed = (self._answering(self._targets[model.id], today) for model in self.models)
            return next((targets for targets in listed if targets), ())
        return self._with_keys(self._defaults(today))

    def _answering(self, targets: Sequence[Target], today: date) -> tuple[Target, ...]:
        known = self._knowledge.models
        return tuple(target for target in targets if known.living(target.model, today) == target.model)

    def _defaults(self, today: date) -> Iterator[Target]:
        known = self._knowledge.models
        for name, provider in self._providers.items():
            chosen, listed = provider.config.default_model, provider.models()
            if chosen is not None:
                model = known.living(chosen, today)
            elif listed:
                model = next((offered for offered in listed if known.living(offered, today) == offered), None)
            else:
                model = known.default(self._knowledge.kinds.get(name, ""), today)
            if model is not None:
                yield Target(name, model)
