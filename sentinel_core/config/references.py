"""What tables say of each other: names that are none or are taken, and names of nothing.

All of it is read from the document itself, so that no table that is wrong hides what is wrong with another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sentinel_core.config.convert import convert_table
from sentinel_core.config.document import Document, Steps, problem_at
from sentinel_core.config.envtext import string
from sentinel_core.config.expectation import show
from sentinel_core.config.names import NAME, NAME_RULE
from sentinel_core.config.secret import SecretReader
from sentinel_core.config.settings import TargetSettings
from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.errors import ConfigProblem


def usable_names(document: Document, section: str) -> list[str]:
    """Of the tables below a section those whose name can be written as a variable's."""
    return [name for name in document.names(section) if NAME.fullmatch(name)]


def reference_problems(document: Document, secrets: SecretReader) -> Iterator[ConfigProblem]:
    """Everything of that kind."""
    yield from _name_problems(document)
    yield from _model_problems(document, secrets)
    yield from _key_problems(document)


def _name_problems(document: Document) -> Iterator[ConfigProblem]:
    for section in ("stages", "providers"):
        for name in document.names(section):
            if not NAME.fullmatch(name):
                yield problem_at(document, (section, name), "not a name", expected=NAME_RULE)


def _model_problems(document: Document, secrets: SecretReader) -> Iterator[ConfigProblem]:
    """Names that two models share, targets that nothing serves, and targets that one model names twice."""
    seen: set[str] = set()
    providers = document.names("providers")
    for steps in _items(document, "models"):
        name = string(document.get(*steps, "name")) or ""
        if name in seen:
            yield problem_at(document, (*steps, "name"), "two models have this name", found=show(name))
        seen |= {name} if name else set()
        yield from _repetitions(document, steps, name, secrets)
        for target in _items(document, *steps, "targets"):
            provider = string(document.get(*target, "provider"))
            if provider and provider not in providers:
                yield _nowhere(document, (*target, "provider"), provider, providers)


def _repetitions(document: Document, model: Steps, name: str, secrets: SecretReader) -> Iterator[ConfigProblem]:
    named: set[tuple[str, str]] = set()
    for steps in _items(document, *model, "targets"):
        target, _ = convert_table(document, steps, TargetSettings, secrets)
        if target is None:  # a key that is misspelt may be what tells it apart
            continue
        place = (target.provider, target.model or name)
        if place in named:
            message = "two targets of this model are the same"
            yield problem_at(document, steps, message, found=show("/".join(filter(None, place))))
        named.add(place)


def _nowhere(document: Document, steps: Steps, provider: str, providers: Sequence[str]) -> ConfigProblem:
    return problem_at(
        document,
        steps,
        "no such provider is configured",
        found=show(provider),
        expected=f"a table [providers.{provider}], or one of: {', '.join(providers)}",
        suggestion=did_you_mean(provider, providers),
    )


def _key_problems(document: Document) -> Iterator[ConfigProblem]:
    """Tables that are said to be further keys of a provider that is not there."""
    providers = document.names("providers")
    for name in providers:
        steps = ("providers", name, "same_as")
        original = string(document.get(*steps))
        if original is not None and (original == name or original not in providers):
            others = [other for other in providers if other != name]
            yield problem_at(
                document,
                steps,
                "no such other provider is configured",
                found=show(original),
                expected=", ".join(others) or "no same_as",
                suggestion=did_you_mean(original, others),
            )


def _items(document: Document, *steps: str | int) -> Iterator[Steps]:
    """The places in a list; none where there is no list."""
    value = document.get(*steps)
    for index in range(len(value) if isinstance(value, list) else 0):
        yield (*steps, index)
