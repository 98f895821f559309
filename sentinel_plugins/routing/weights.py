"""Whether each weight is that of a target: one that is not would leave its targets at 1, and nobody would notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sentinel_core.config import Settings, did_you_mean
from sentinel_core.errors import ConfigProblem
from sentinel_core.provider import ProviderConfig


def astray(weights: Iterable[str], settings: Settings) -> Iterator[ConfigProblem]:
    """A problem for every weight whose provider is not there, or has no such model."""
    named = [f"{target.provider}/{target.model or one.name}" for one in settings.models for target in one.targets]
    known = [*settings.providers, *named]
    for name in weights:
        provider, slash, model = name.partition("/")
        if provider not in settings.providers or (slash and not _serves(settings, provider, model, named)):
            yield ConfigProblem(
                "no target has this name",
                table="stages.routing",
                key="weights",
                found=f'"{name}"',
                expected="a provider, or provider/model as [[models]] has it",
                suggestion=did_you_mean(name, known),
            )


def _serves(settings: Settings, provider: str, model: str, named: Iterable[str]) -> bool:
    """Whether this can be a target. A provider without a list serves any name, but alone, if it has no other keys."""
    configs = {name: table.value for name, table in settings.providers.items()}
    own = configs[provider]
    if not isinstance(own, ProviderConfig):
        return True  # it is not in use, or wrong itself
    original = own.same_as or provider
    keys = {original, *(name for name, one in configs.items() if getattr(one, "same_as", None) == original)}
    if any(f"{key}/{model}" in named for key in keys):
        return True
    listed = getattr(configs.get(original), "models", ())
    return model in listed or (bool(model) and not listed and len(keys) > 1)
