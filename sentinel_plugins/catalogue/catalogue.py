"""Facts about models out of TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Self

import msgspec

from sentinel_core.config.files import Readable
from sentinel_core.model_facts import ModelFacts
from sentinel_plugins.catalogue.own import own_rows

SHIPPED = Path(__file__).with_name("models.toml")


class FileCatalogue:
    """Models by id, in the order of the file. Immutable."""

    def __init__(self, dated: date, models: Iterable[ModelFacts], own: str = "") -> None:
        self._dated = dated
        self._version = f"{dated}+{own}" if own else str(dated)
        self._models = {model.id: model for model in models}

    @classmethod
    def shipped(cls) -> Self:
        """The catalogue that comes with this release."""
        tables = tomllib.loads(SHIPPED.read_text("utf-8"))
        return cls(tables["dated"], msgspec.convert(tables["models"], list[ModelFacts]))

    @property
    def dated(self) -> date:
        """The day on which the facts were gathered."""
        return self._dated

    @property
    def version(self) -> str:
        """The day, and the beginning of the SHA-256 of the rows laid over."""
        return self._version

    def models(self) -> tuple[ModelFacts, ...]:
        """Every model, retired ones included."""
        return tuple(self._models.values())

    def find(self, model: str) -> ModelFacts | None:
        """What is known about a model."""
        return self._models.get(model)

    def living(self, model: str, on: date) -> str | None:
        """The model, or the nearest successor that answers on that day; None where the line ends."""
        seen = set()
        while (facts := self._models.get(model)) is not None and facts.retired(on):
            seen.add(model)
            if facts.successor is None or facts.successor in seen:
                return None
            model = facts.successor
        return model

    def default(self, provider: str, on: date) -> str | None:
        """The model that stands for a kind of provider, or its successor."""
        chosen = (model.id for model in self._models.values() if model.provider == provider and model.default)
        return next((model for name in chosen if (model := self.living(name, on)) is not None), None)

    def overlaid(self, path: Readable) -> FileCatalogue:
        """The rows of a file over these, as `own_rows` says.

        A file that makes another model its provider's default takes that from the shipped one.
        """
        own = own_rows(path, self._models)
        models = {**self._models, **own.models}
        return FileCatalogue(self._dated, _one_default(models.values(), own.models.keys()), own.mark)


def _one_default(models: Iterable[ModelFacts], own: Collection[str]) -> list[ModelFacts]:
    """The operator's choice of a default counts alone."""
    models = list(models)
    chosen = {model.provider for model in models if model.default and model.id in own}
    return [
        msgspec.structs.replace(model, default=False)
        if model.default and model.provider in chosen and model.id not in own
        else model
        for model in models
    ]
