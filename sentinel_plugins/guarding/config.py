"""What the tables of guards have in common that replace values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta

from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.stage import StageConfig
from sentinel_plugins.guarding.custom import Custom, CustomTable
from sentinel_plugins.guarding.entity import Entity, Family
from sentinel_plugins.guarding.policy import Direction, Policy
from sentinel_plugins.guarding.replacing import Action, Numbers
from sentinel_plugins.guarding.transducer import Overlong

EntityName: TypeAlias = Annotated[
    str, Meta(pattern=r"^[A-Z][A-Z0-9_]*\Z", description="a name of capitals, digits and _ such as EMAIL_ADDRESS")
]

_DIRECTIONS: Mapping[str, frozenset[Direction]] = {
    "request": frozenset({"request"}),
    "response": frozenset({"response"}),
    "both": frozenset({"request", "response"}),
}


class ReplacingConfig(StageConfig, frozen=True, kw_only=True):
    """What is looked for, where, and what is done about it."""

    action: Action = "redact"
    """What is done about a value."""
    actions: Mapping[EntityName, Action] = {}
    """The same for single entities."""
    entities: tuple[EntityName, ...] | None = None
    """What is looked for beside your own kinds. Unless set, everything that the guard knows."""
    direction: Literal["request", "response", "both"] = "both"
    """Which texts are looked at: those of callers, those of models, or both. There is no verdict on the
    other."""
    allow: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    """Values that are left alone wherever they are the whole of what was found, such as your own support address. Case
    makes no difference."""
    numbers: Numbers = "string"
    """What becomes of a value that is a number in the JSON of tool arguments, or of an answer that was asked for as
    JSON: what stands for it can only be a string (`string`), which whoever asks for a number may not take; `block`
    refuses the request or the reply."""
    custom: dict[EntityName, CustomTable] = msgspec.field(default_factory=dict)
    """Kinds of values of your own, by the name that stands in their place."""

    known: ClassVar[tuple[str, ...]] = ()
    """What the guard knows, by name."""

    def __post_init__(self) -> None:
        if problems := [*self.problems()]:
            raise ValueError(*problems)

    def problems(self) -> Iterator[str]:
        """What is wrong with values that their types take, each with its key in front. A table with more keys adds its
        own."""
        for name in self.custom:
            if name in self.known:
                yield f"custom.{name}: this name is taken; choose another one"
        for key, names, known in (
            ("entities", self.entities or (), self.known),
            ("actions", self.actions, self.finds),
        ):
            for name in names:
                if name not in known:
                    yield f"{key}: {name} is not looked for; {did_you_mean(name, known) or listed(known)}"

    @property
    def finds(self) -> tuple[str, ...]:
        """The names of what is looked for."""
        return (*(self.known if self.entities is None else dict.fromkeys(self.entities)), *self.custom)

    @property
    def key(self) -> bytes | None:
        """The key of `hash`, where there is one."""
        return None

    @property
    def directions(self) -> frozenset[Direction]:
        """The directions that are looked at."""
        return _DIRECTIONS[self.direction]

    def policy(self, stage: str, family: Family, entities: Iterable[Entity]) -> Policy:
        """What the table says, for a guard that knows these entities."""
        asked = tuple(entity for entity in entities if entity.name in self.finds)
        return Policy(
            stage=stage,
            family=family,
            entities=asked,
            customs=tuple(Custom(name, family, table) for name, table in self.custom.items()),
            allowed=frozenset(map(str.casefold, self.allow)),
            actions={name: self.actions.get(name, self.action) for name in self.finds},
            directions=self.directions,
            enforcing=self.mode == "enforce",
            overlong={entity.name: entity for entity in asked if isinstance(entity, Overlong)},
            numbers=self.numbers,
        )


def listed(names: Iterable[str]) -> str:
    """What would do, for a message."""
    return "known are " + ", ".join(names)
