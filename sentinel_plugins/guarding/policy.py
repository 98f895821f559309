"""What one guard does about what it finds, and which other guard looks at the same texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from sentinel_core.services import Services
from sentinel_plugins.guarding.entity import Family, Found
from sentinel_plugins.guarding.finder import Finder
from sentinel_plugins.guarding.replacing import Action
from sentinel_plugins.guarding.transducer import Overlong

Direction: TypeAlias = Literal["request", "response"]

_RANKS: Mapping[Family, int] = {"secret": 2, "pii": 1}
_BLOCKS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One guard's. `actions` has every entity that its finder finds."""

    stage: str
    family: Family
    finder: Finder
    actions: Mapping[str, Action]
    directions: frozenset[Direction]
    enforcing: bool
    overlong: Mapping[str, Overlong] = field(default_factory=dict)

    def rank(self, found: Found) -> int:
        """How much a value of this guard's counts beside another: what blocks before secrets, secrets before PII."""
        action = self.actions[found.entity]
        return _BLOCKS if action == "block" else 0 if action == "warn" else _RANKS[self.family]


class Board:
    """The policies of the guards of one generation, by stage."""

    def __init__(self) -> None:
        self._policies: dict[str, Policy] = {}

    def post(self, policy: Policy) -> None:
        """State a guard's policy."""
        self._policies[policy.stage] = policy

    def merged_with(self, stage: str, direction: Direction) -> tuple[Policy, ...]:
        """The other guards whose values count beside this one's: those that enforce, in this direction."""
        others = (policy for name, policy in self._policies.items() if name != stage)
        return tuple(policy for policy in others if policy.enforcing and direction in policy.directions)


class _Posted(NamedTuple):
    services: Services
    board: Board
    users: list[str]


_POSTED: list[_Posted] = []
"""The boards of the generations that are open in this process, which are few."""


@contextmanager
def posted(policy: Policy, services: Services) -> Iterator[Board]:
    """The board of a generation, with this policy on it. Stages that were opened with the same services are of one
    generation; guards of an older one, which still ends its requests, are on another board."""
    entry = next((entry for entry in _POSTED if entry.services is services), None)
    if entry is None:
        entry = _Posted(services, Board(), [])
        _POSTED.append(entry)
    entry.board.post(policy)
    entry.users.append(policy.stage)
    try:
        yield entry.board
    finally:
        entry.users.remove(policy.stage)
        if not entry.users:
            _POSTED[:] = [other for other in _POSTED if other is not entry]
