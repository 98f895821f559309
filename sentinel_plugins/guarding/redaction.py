"""One guard at work on one direction of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from sentinel_core.errors import Refusal
from sentinel_core.messages import Path, TextSlot
from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.finder import Finder, Together
from sentinel_plugins.guarding.handover import Mark
from sentinel_plugins.guarding.known import Known
from sentinel_plugins.guarding.merge import Cluster
from sentinel_plugins.guarding.policy import Policy
from sentinel_plugins.guarding.replacing import Action, Replacement
from sentinel_plugins.guarding.transducer import Decide, Piece, Transducer, joined
from sentinel_plugins.guarding.written import JsonText, PlainText

Note = Callable[[str, Action], None]
"""Hears of each value that was found: its entity, and what is done about it."""


class Text(Protocol):
    """A text that comes in pieces."""

    def feed(self, text: str, *, end: bool = False) -> str:
        """What leaves of the next piece; at the `end` of the text everything that was held."""
        ...

    def marks(self) -> Sequence[Mark] | None:
        """The values in what left last that are other guards'; None where that is not known."""
        ...


class Merged(NamedTuple):
    """What is looked for together: the values of one guard, and those of others that count beside them."""

    own: Policy
    finder: Finder
    others: tuple[Policy, ...] = ()

    def rank(self, found: Found) -> int:
        """How much a value counts where it overlaps others."""
        for policy in (self.own, *self.others):
            if policy.family == found.family:
                return policy.rank(found)
        return 0


class Redaction:
    """Replaces one guard's values, and leaves those of other guards, which will replace them.

    `left` are the values of other guards that were come across, with what they are.
    """

    def __init__(self, merged: Merged, replacements: Mapping[Action, Replacement], note: Note) -> None:
        self._merged = merged
        self._replacements = replacements
        self._note = note
        self.left: dict[str, Found] = {}

    @property
    def others(self) -> tuple[Policy, ...]:
        """Whose values are looked for as well."""
        return self._merged.others

    def text(self, *, json: bool, left: str = "", finder: Finder | None = None, decide: Decide | None = None) -> Text:
        """A text that begins now, behind what is `left` of it. `json` says that it is the arguments of a tool call."""
        finder = finder or self._merged.finder
        decide = decide or self._decide
        overlong = self._merged.own.overlong

        def make(left: str) -> Transducer:
            return Transducer(finder, self._merged.rank, decide, left=left, overlong=overlong)

        return JsonText(make, finder.left) if json else PlainText(make(left))

    def marked(self, text: str, marks: Sequence[Mark]) -> str:
        """A text whose values are known, with this guard's replaced."""
        pieces, at = [], 0
        for mark in marks:
            pieces.append(Piece(mark.start - at))
            pieces.append(Piece(mark.end - mark.start, self._decide(mark.cluster, text[mark.start : mark.end])))
            at = mark.end
        return joined(text, [*pieces, Piece(len(text) - at)])

    def changes(self, slots: Iterable[TextSlot], known: Mapping[str, Found] | None = None) -> dict[Path, str]:
        """The complete texts that change, by their place. Every occurrence of a value that is found in one of them, or
        that is `known`, is replaced in all."""
        slots = tuple(slots)
        values = {**self._values(slots), **(known or {})}
        if not values:
            return {}
        finder = Together([self._merged.finder, Known(values)])
        changed = ((slot, self._whole(slot, finder, self._decide)) for slot in slots)
        return {slot.path: text for slot, text in changed if text != slot.text}

    def _values(self, slots: Iterable[TextSlot]) -> dict[str, Found]:
        """The values of all texts. Raises `Refusal` for one that blocks."""
        values: dict[str, Found] = {}

        def collect(cluster: Cluster, value: str) -> None:
            if self._is_own(cluster.first) and self._action(cluster.first) == "block":
                self._decide(cluster, value)
            values[value] = cluster.first

        for slot in slots:
            if slot.kind == "tool_arguments" or self._merged.finder.find(slot.text):
                self._whole(slot, self._merged.finder, collect)
        return values

    def _whole(self, slot: TextSlot, finder: Finder, decide: Decide) -> str:
        json = slot.kind == "tool_arguments"
        return self.text(json=json, finder=finder, decide=decide).feed(slot.text, end=True)

    def _decide(self, cluster: Cluster, value: str) -> str | None:
        found = cluster.first
        if not self._is_own(found):
            self.left[value] = found
            return None
        action = self._action(found)
        self._note(found.entity, action)
        if action == "block":
            raise Refusal("content_policy_violation")
        return None if action == "warn" else self._replacements[action](found, value)

    def _is_own(self, found: Found) -> bool:
        return found.family == self._merged.own.family

    def _action(self, found: Found) -> Action:
        return self._merged.own.actions[found.entity]
