"""What one guard does about what it finds, and which other guard looks at the same texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sentinel_core.services import Services
from sentinel_plugins.guarding.custom import Custom
from sentinel_plugins.guarding.entity import Entity, Family, Found
from sentinel_plugins.guarding.finder import Except, Finder
from sentinel_plugins.guarding.replacing import Action, Numbers
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.transducer import Overlong
from sentinel_plugins.guarding.views import Reader

Direction: TypeAlias = Literal["request", "response"]

_RANKS: Mapping[Family, int] = {"secret": 2, "pii": 1}
_BLOCKS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One guard's. `actions` has what is done about each of its entities and customs, `allowed` the values that are
    left alone, in lower case."""

    stage: str
    family: Family
    entities: tuple[Entity, ...]
    customs: tuple[Custom, ...]
    allowed: frozenset[str]
    actions: Mapping[str, Action]
    directions: frozenset[Direction]
    enforcing: bool
    overlong: Mapping[str, Overlong] = field(default_factory=dict)
    numbers: Numbers = "string"

    def rank(self, found: Found) -> int:
        """How much a value of this guard's counts beside another: what blocks before secrets, secrets before PII."""
        action = self.actions[found.entity]
        return _BLOCKS if action == "block" else 0 if action == "warn" else _RANKS[self.family]


def finder_of(policies: Collection[Policy]) -> Finder:
    """What these guards look for, in one scan."""
    scanner = Scanner([entity for policy in policies for entity in policy.entities])
    finder: Finder = Reader(scanner, [custom for policy in policies for custom in policy.customs])
    allowed = {policy.family: policy.allowed for policy in policies if policy.allowed}
    return Except(finder, allowed) if allowed else finder


class Board:
    """The policies of the guards of one generation, by stage, and what finds their values together."""

    def __init__(self) -> None:
        self._policies: dict[str, Policy] = {}
        self._finders: dict[frozenset[Policy], Finder] = {}

    def post(self, policy: Policy) -> None:
        """State a guard's policy, and make ready what looks for its values beside those of the guards before it."""
        self._policies[policy.stage] = policy
        self.finder((policy,))
        for direction in policy.directions if policy.enforcing else ():
            self.finder((policy, *self.merged_with(policy.stage, direction)))

    def finder(self, policies: tuple[Policy, ...]) -> Finder:
        """What looks for the values of these guards."""
        key = frozenset(policies)
        found = self._finders.get(key)
        if found is None:
            found = self._finders[key] = finder_of(policies)
        return found

    def merged_with(self, stage: str, direction: Direction) -> tuple[Policy, ...]:
        """The other guards whose values count beside this one's: those that enforce, in this direction."""
        others = (policy for name, policy in self._policies.items() if name != stage)
        return tuple(policy for policy in others if policy.enforcing and direction in policy.directions)


def posted(policy: Policy, services: Services) -> Board:
    """The board of the generation that is being opened, with this policy on it."""
    board: Board = services.shared.setdefault("guarding", Board())
    board.post(policy)
    return board
