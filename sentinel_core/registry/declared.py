"""What a class says of itself, checked where it would else mean something else, or nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from sentinel_core.config.fields import fields_of
from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.errors import ConfigProblem
from sentinel_core.hookspecs import PHASES
from sentinel_core.keys import Key
from sentinel_core.registry.complaint import complaint
from sentinel_core.stage import OnFault, Stage


def stage_problems(stage: type[Stage], plugin: str) -> Iterator[ConfigProblem]:
    """What a stage declares in a form that nobody could go by."""
    for attribute in ("before", "after"):
        yield from _shape(f"{stage.__name__}.{attribute}", "a tuple of names", getattr(stage, attribute), str, plugin)
    for attribute in ("reads", "writes"):
        found, name = getattr(stage, attribute), f"{stage.__name__}.{attribute}"
        for phase, keys in (found if isinstance(found, Mapping) else {"on_request": found}).items():
            if phase not in PHASES:
                hint = did_you_mean(str(phase), PHASES)
                yield complaint(plugin, f"{name} names a phase that is none", phase, suggestion=hint)
            yield from _shape(name, "a tuple of keys, or one for each phase", keys, Key, plugin)
    if stage.on_fault not in get_args(OnFault):
        yield complaint(plugin, f"{stage.__name__}.on_fault must be 'closed' or 'open'", stage.on_fault)


def _shape(name: str, promised: str, found: object, of: type, plugin: str) -> Iterator[ConfigProblem]:
    if not isinstance(found, Collection) or isinstance(found, str | Mapping):
        yield complaint(plugin, f"{name} must be {promised}", found)
    else:
        yield from (complaint(plugin, f"{name} must be {promised}", one) for one in found if not isinstance(one, of))


def config_problems(
    owner: str, config: type[msgspec.Struct], base: type[msgspec.Struct], plugin: str
) -> Iterator[ConfigProblem]:
    """Fields of a Config that the gateway would read as those of `base`, and that hold something else."""
    try:
        own = {field.name: field for field in fields_of(config).values()}
    except (NameError, AttributeError, TypeError) as error:
        message = f"{owner}.Config has an annotation that means nothing when it runs: {error}"
        expected = "types that are imported, and not under TYPE_CHECKING alone"
        yield ConfigProblem(message, where=f"plugin {plugin}", expected=expected)
        return
    for common in fields_of(base).values():
        field, hidden = own[common.name], getattr(config, common.name) is not getattr(base, common.name)
        if not hidden and (field.type, field.default) == (common.type, common.default):
            continue
        promised, annotation = (get_type_hints(cls)[common.name] for cls in (base, config))
        found = "a value without an annotation" if hidden else _misfit(field.default, annotation, promised)
        if found is not None:
            message = f"{owner}.Config.{common.name}: the name is taken by a field of {base.__name__}"
            expected = f"{_shown(promised)}, or another name"
            yield ConfigProblem(message, where=f"plugin {plugin}", found=found, expected=expected)


def _misfit(default: Any, annotation: Any, promised: Any) -> str | None:  # as annotated; types have no common one
    """What a field may be, or is by default, that it must not be; None where it is nothing."""
    if not _alternatives(annotation) <= _alternatives(promised):
        return _shown(annotation)
    if default is not msgspec.NODEFAULT:
        try:
            msgspec.convert(default, promised)
        except msgspec.ValidationError:
            return repr(default)
    return None


def _alternatives(annotation: Any) -> set[Any]:  # types have no common one; values of a Literal are any
    """The types and the values among which an annotation chooses."""
    if get_origin(annotation) in (Union, UnionType):
        return set().union(*map(_alternatives, get_args(annotation)))
    return set(get_args(annotation)) if get_origin(annotation) is Literal else {annotation}


def _shown(annotation: Any) -> str:  # as above
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
