"""The operator's own file: its rows laid over what is known, or everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from sentinel_core.config import Document, Origin, dump, read_file
from sentinel_core.config.convert import convert_table
from sentinel_core.config.document import Steps, problem_at
from sentinel_core.config.expectation import show
from sentinel_core.config.files import Readable
from sentinel_core.config.secret import SecretReader
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.json_types import TomlValue
from sentinel_core.model_facts import ONLY_EMBEDS, ModelFacts

EXPECTED = "tables [[models]], each with an id"
NO_SECRETS = SecretReader({}, Path())


class OwnRows(NamedTuple):
    """The models of the operator's file by id; `mark` tells one content of the file from another."""

    models: Mapping[str, ModelFacts]
    mark: str


def own_rows(path: Readable, known: Mapping[str, ModelFacts]) -> OwnRows:
    """A row of a known id changes the keys it has, any other is a new model. Raises `ConfigError` with every problem of
    every row."""
    tables, problems = read_file(path)
    if problems:
        raise ConfigError(problems)
    where, rows = str(path), tables.get("models")
    problems = [ConfigProblem("unknown key", where, key=key, expected=EXPECTED) for key in tables if key != "models"]
    if not isinstance(rows, list):
        raise ConfigError([*problems, ConfigProblem("is not a catalogue", where, expected=EXPECTED)])
    document = Document()
    document.put(("models",), [_over(known, row) for row in rows], Origin("file", where))
    models: dict[str, ModelFacts] = {}
    ids: set[str] = set()
    for index, row in enumerate(rows):
        steps, id_ = ("models", index), _id(row)
        model, found = convert_table(document, steps, ModelFacts, NO_SECRETS)
        if id_ is None:
            problems += found
            continue
        if id_ in ids:
            problems.append(problem_at(document, (*steps, "id"), "two models have this id", found=show(id_)))
        ids.add(id_)
        problems += [replace(problem, message=f"{problem.message} for {show(id_)}") for problem in found]
        problems += _price_problems(document, steps, id_)
        models |= {id_: model} if model is not None else {}
    if problems:
        raise ConfigError(problems)
    return OwnRows(models, sha256(repr(rows).encode()).hexdigest()[:8])


def missing_rate(row: Mapping[str, TomlValue]) -> str | None:
    """The rate without which the others of a row are no price. Whether a rate is one at all does not matter here."""
    given = {key for key, value in row.items() if value is not None and value != []}
    if "input_usd" not in given:
        others = {"cached_input_usd", "cache_write_usd", "cache_write_1h_usd", "output_usd", "reasoning_usd", "tiers"}
        return "input_usd" if given & others else None
    return "output_usd" if "output_usd" not in given and row.get("capabilities") != [*ONLY_EMBEDS] else None


def _over(known: Mapping[str, ModelFacts], row: TomlValue) -> TomlValue:
    """A row with what is known about its model. Without an id, nobody knows what it lacks."""
    if not isinstance(row, dict):
        return row
    id_ = _id(row)
    facts = known.get(id_) if id_ is not None else None
    base = {"provider": "any"} if id_ is None else {} if facts is None else dump(facts)
    return {**base, **row}


def _id(row: TomlValue) -> str | None:
    id_ = row.get("id") if isinstance(row, dict) else None
    return id_ if isinstance(id_, str) and id_ else None


def _price_problems(document: Document, steps: Steps, id_: str) -> Iterator[ConfigProblem]:
    key = missing_rate(document.get(*steps))
    if key is not None:
        message = f"is not set for {show(id_)} beside other prices: without it"
        message += " the model has none, and no budget counts its calls"
        embeds = ', or capabilities = ["embedding"] for what only embeds' if key == "output_usd" else ""
        yield problem_at(document, (*steps, key), message, expected=f"a number{embeds}")
