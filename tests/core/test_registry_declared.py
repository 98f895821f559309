"""A Config that redefines what every table has, or cannot be read, is refused with words that say what is taken."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.registry import Registry
from sentinel_core.stage import OnFault, Stage, StageConfig, Unscannable
from sentinel_core.state import StoreConfig
from sentinel_plugins.state.memory.store import MemoryState
from tests.core.plugin_objects import refused

COMMON: dict[type[Any], type[msgspec.Struct]] = {  # of three kinds
    Stage: StageConfig,
    Provider: ProviderConfig,
    MemoryState: StoreConfig,
}


def config(
    base: type[msgspec.Struct],
    *fields: tuple[Any, ...],  # as msgspec.defstruct takes them
    **values: object,
) -> type[msgspec.Struct]:
    """A Config with these fields, as an author without mypy writes it, and with `values` that have no annotation."""
    return msgspec.defstruct("Config", fields, bases=(base,), namespace=values, frozen=True, kw_only=True)


def configured(base: type[Any], found: type[msgspec.Struct]) -> type[Any]:  # a class of any kind
    return type("Acme", (base,), {"name": "acme", "kind": "acme", "Config": found})


@pytest.mark.parametrize(
    ("base", "field", "found", "expected"),
    [
        (
            Stage,
            ("mode", Literal["mask", "block"], "mask"),
            "Literal['mask', 'block']",
            "Literal['enforce', 'monitor']",
        ),
        (Stage, ("on_fault", str | None, None), "str | None", "Optional[Literal['closed', 'open']]"),
        (Stage, ("unscannable", Unscannable, "refuse"), "'refuse'", "Literal['allow', 'block']"),
        (Provider, ("models", dict[str, str]), "dict[str, str]", "tuple[str, ...]"),
        (MemoryState, ("kind", int), "int", "str"),
    ],
    ids=["mode", "on_fault", "unscannable", "models", "kind"],
)
def test_a_field_that_every_table_has_may_not_mean_something_else(
    base: type[Any],  # a class of any kind
    field: tuple[Any, ...],  # as msgspec.defstruct takes them
    found: str,
    expected: str,
) -> None:
    """Else a guard whose own `mode` is "mask" is in no mode that there is: its reply half would not run."""
    common = COMMON[base]
    text = refused(lambda: Registry().register(configured(base, config(common, field))))
    taken = f"Acme.Config.{field[0]}: the name is taken by a field of {common.__name__}"
    assert text.endswith(f"{taken}; found {found}; expected {expected}, or another name")


def test_a_value_without_an_annotation_would_hide_the_table() -> None:
    text = refused(lambda: Registry().register(configured(Stage, config(StageConfig, timeout_s=0.5))))
    assert "Acme.Config.timeout_s: the name is taken by a field of StageConfig; found a value without an ann" in text


def test_all_of_them_are_told_at_once() -> None:
    found = config(StageConfig, ("mode", str), ("enabled", int), ("words", tuple[str, ...], ()), on_fault="open")
    text = refused(lambda: Registry().register(configured(Stage, found)))
    assert [line.partition("Acme.Config.")[2].partition(":")[0] for line in text.splitlines()] == [
        "enabled",
        "on_fault",
        "mode",
    ]


def test_another_default_or_fewer_values_are_the_authors_own() -> None:
    fields = (("mode", Literal["enforce"], "enforce"), ("on_fault", OnFault, "open"), ("timeout_s", float | None, 0.5))
    stage = configured(Stage, config(StageConfig, *fields))
    registry = Registry()
    registry.register(stage)
    assert registry.stages == {"acme": stage}


def test_an_annotation_that_means_nothing_at_run_time_is_told() -> None:
    found = config(StageConfig, ("file", "Path"))
    text = refused(lambda: Registry().register(configured(Stage, found)))
    assert "Acme.Config has an annotation that means nothing when it runs: name 'Path' is not defined" in text
