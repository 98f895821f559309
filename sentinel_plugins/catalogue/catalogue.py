"""Facts about models out of TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import msgspec

from sentinel_core.config import read_file
from sentinel_core.config.files import Readable
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.model_facts import ModelFacts

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
        """The rows of a file over these: a row of a known id changes the keys it has, any other is a new model.

        A file that makes another model its provider's default takes that from the shipped one.
        """
        rows = _rows(path)
        models, ids = dict(self._models), [str(row["id"]) for row in rows]
        first = {id_: index for index, id_ in reversed([*enumerate(ids)])}
        problems = [
            ConfigProblem(f"two models have the id {id_!r}", where=str(path), table=f"models[{index}]", key="id")
            for index, id_ in enumerate(ids)
            if first[id_] != index
        ]
        for index, (id_, row) in enumerate(zip(ids, rows, strict=True)):
            try:
                made = _over(models.get(id_), row)
            except msgspec.ValidationError as error:
                problems.append(ConfigProblem(str(error), where=str(path), table=f"models[{index}]"))
                continue
            models[made.id] = made
            missing = _missing_rate(made)
            if missing is not None:
                problems.append(_no_price(str(path), f"models[{index}]", missing))
        if problems:
            raise ConfigError(problems)
        own = sha256(repr(rows).encode()).hexdigest()[:8]
        return FileCatalogue(self._dated, _one_default(models.values(), set(ids)), own)


def _over(known: ModelFacts | None, row: Mapping[str, Any]) -> ModelFacts:  # values of TOML
    base = msgspec.structs.asdict(known) if known is not None else {}
    return msgspec.convert({**base, **row}, ModelFacts)


def _missing_rate(row: ModelFacts) -> str | None:
    """The rate without which the others of a row are no price."""
    of_prompts, of_answers = (row.cached_input_usd, row.cache_write_usd), (row.output_usd, row.reasoning_usd)
    if row.input_usd is None:
        given = row.tiers or any(rate is not None for rate in (*of_prompts, *of_answers))
        return "input_usd" if given else None
    return "output_usd" if row.output_usd is None and not row.only_embeds else None


def _no_price(where: str, table: str, key: str) -> ConfigProblem:
    message = "is not set beside other prices: without it the model has none, and no budget counts its calls"
    embeds = ', or capabilities = ["embedding"] for what only embeds' if key == "output_usd" else ""
    return ConfigProblem(message, where=where, table=table, key=key, expected=f"a number{embeds}")


def _one_default(models: Iterable[ModelFacts], own: set[str]) -> list[ModelFacts]:
    """The operator's choice of a default counts alone."""
    models = list(models)
    chosen = {model.provider for model in models if model.default and model.id in own}
    return [
        msgspec.structs.replace(model, default=False)
        if model.default and model.provider in chosen and model.id not in own
        else model
        for model in models
    ]


def _rows(path: Readable) -> Sequence[Mapping[str, Any]]:  # values of TOML
    """The `[[models]]` of a file. Raises `ConfigError`."""
    tables, problems = read_file(path)
    if problems:
        raise ConfigError(problems)
    rows = tables.get("models")
    unknown = tables.keys() - {"models"}
    if unknown or not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("id") for row in rows):
        found, expected = ", ".join(sorted(unknown)), "tables [[models]], each with an id"
        raise ConfigError((ConfigProblem("is not a catalogue", where=str(path), found=found, expected=expected),))
    return rows
