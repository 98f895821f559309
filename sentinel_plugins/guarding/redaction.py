"""One guard at work on one direction of one request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol, get_args

import msgspec
from msgspec.structs import replace

from sentinel_core.errors import Refusal
from sentinel_core.messages import Path, TextSlot
from sentinel_plugins.guarding.borders import Parted, by_text, parted
from sentinel_plugins.guarding.entity import Family, Found
from sentinel_plugins.guarding.finder import Beside, Except, Finder
from sentinel_plugins.guarding.form import ARGUMENTS
from sentinel_plugins.guarding.handover import Mark
from sentinel_plugins.guarding.known import Known
from sentinel_plugins.guarding.merge import Cluster
from sentinel_plugins.guarding.policy import Policy
from sentinel_plugins.guarding.replacing import Action, Replacement
from sentinel_plugins.guarding.spots import Spot, Spots
from sentinel_plugins.guarding.told import Alongside, Told
from sentinel_plugins.guarding.transducer import Decide, Overlong, Piece, Transducer, joined
from sentinel_plugins.guarding.written import JsonText, PlainText, Replacer

Note = Callable[[str, Action], None]
"""Hears of each value that was found: its entity, and what is done about it."""


class Text(Protocol):
    """A text that comes in pieces."""

    def feed(self, text: str, *, end: bool = False) -> str:
        """What leaves of the next piece; at the `end` of the text everything that was held."""
        ...

    def marks(self) -> Sequence[Mark] | None:
        """The values in what left last, and those that are gone from it; None where that is not known."""
        ...


class Merged(msgspec.Struct, frozen=True):
    """What is looked for together: the values of one guard, and those of others that count beside them."""

    own: Policy
    finder: Finder
    others: tuple[Policy, ...] = ()
    ahead: tuple[Policy, ...] = ()
    """Those of the others that the text has still to meet."""
    overlong: Mapping[str, Overlong] = {}
    """The entities whose values may go on beyond what is found of them, those of all."""

    def __post_init__(self) -> None:
        found = {name: entity for policy in (self.own, *self.others) for name, entity in policy.overlong.items()}
        msgspec.structs.force_setattr(self, "overlong", found)

    def looks_for(self, policy: Policy) -> bool:
        """Whether this guard's values are among those that are looked for."""
        return policy is self.own or policy in self.others

    def rank(self, found: Found) -> int:
        """How much a value counts where it overlaps others."""
        for policy in (self.own, *self.others):
            if policy.family == found.family:
                return policy.rank(found)
        return 0

    def may_be_in(self, slots: Iterable[TextSlot], json: Collection[str]) -> bool:
        """False where there is nothing in any of these texts, for certain: most are done with then. Of the kinds that
        are `json` nothing is certain before they are read as that."""
        find = self.finder.find
        return any(slot.kind in json or find(slot.text) for slot in slots)

    def parted(self, slots: Iterable[TextSlot]) -> list[Parted]:
        """The values over the borders of these texts."""
        return parted(slots, self.finder)

    def without(self, values: Collection[str]) -> Merged:
        """The same, which leaves these values alone. They are in lower case."""
        return replace(self, finder=Except(self.finder, dict.fromkeys(get_args(Family), values)))


class Redaction:
    """Replaces one guard's values, and leaves those of other guards, which will replace them.

    `json` are the kinds of text that are read as JSON, and stay it. `left` are the values of other guards that were
    come across, with what they are. `removed_unseen` says that characters went that nobody sees. `known` are the values
    of a stream so far: they are looked for from then on, in all of its texts. `over_borders` says that the texts are a
    caller's, who may write a value over the border of two.
    """

    def __init__(
        self,
        merged: Merged,
        replacements: Mapping[Action, Replacement],
        note: Note,
        json: Collection[str] = ARGUMENTS,
    ) -> None:
        self._json = json
        self.merged = merged
        self.replacements = replacements
        self._note = note
        self.left: dict[str, Found] = {}
        self.removed_unseen = False
        self.known: Known | None = None
        self.over_borders = False

    def text(
        self,
        *,
        kind: str,
        left: str = "",
        finder: Finder | None = None,
        decide: Decide | None = None,
        spots: Spots | None = None,
        told: Told | None = None,
    ) -> Text:
        """A text that begins now, behind what is `left` of it; its `kind` is that of a slot, or a channel. Of what is
        JSON nothing is `told`."""
        finder, decide = finder or self.merged.finder, decide or self._decide
        make = partial(self._replacer, finder, decide)
        if told is not None and kind not in self._json:
            return PlainText(Alongside(told, self._replacer(Beside(finder, told), decide, left, alongside=True)))
        if kind not in self._json:
            return PlainText(make(left), spots.note if spots is not None else None)
        if spots is not None:
            return JsonText(make, finder.left, note=spots.note)
        return JsonText(make, finder.left, self.merged.own.numbers)

    def _replacer(self, finder: Finder, decide: Decide, left: str, *, alongside: bool = False) -> Replacer:
        """What reads one text, `alongside` another reader where the finder asks that one."""
        rank, overlong, known = self.merged.rank, self.merged.overlong, self.known
        return Transducer(finder, rank, decide, left=left, overlong=overlong, known=known, in_step=alongside)

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
        that is `known`, is replaced in all; of a value over borders each part, where it stands."""
        slots = tuple(slots)
        values = {**self._values(slots), **(known or {})}
        parts = by_text(self._parted(slots))
        if not values and not parts:
            return {}
        finder = Beside(self.merged.finder, Known(values))
        changed = ((slot, self._whole(slot, finder, self._decide, parts.get(slot.path, ()))) for slot in slots)
        return {slot.path: text for slot, text in changed if text != slot.text}

    def _parted(self, slots: Iterable[TextSlot]) -> Iterator[Parted]:
        """This guard's values over borders. Those of others are left to them as a whole: they look for these again."""
        for value in self.merged.parted(slots) if self.over_borders else ():
            if self._is_own(value.found):
                yield value
            else:
                self.left[value.value] = value.found

    def spots(self, slots: Iterable[TextSlot]) -> Iterator[tuple[TextSlot, Spot, Action]]:
        """Where the values are that `changes` would act on, and what it would do, also where it would refuse. Nothing
        is done, and nobody hears of it."""
        slots = tuple(slots)
        values = {spot.value: spot.found for slot in slots for spot in self._spots(slot, self.merged.finder)}
        finder = Beside(self.merged.finder, Known(values))
        for slot in slots if values else ():
            for spot in self._spots(slot, finder):
                if self._is_own(spot.found):
                    yield slot, spot, self._action(spot.found)
        parts = by_text(self._parted(slots))
        for slot in slots if parts else ():
            for one in parts.get(slot.path, ()):
                yield slot, Spot(slot.text[one.start : one.end], one, one.start, one.end), self._action(one)

    def _spots(self, slot: TextSlot, finder: Finder) -> Spots:
        spots = Spots()
        self.text(kind=slot.kind, finder=finder, decide=spots.decide, spots=spots).feed(slot.text, end=True)
        return spots

    def _values(self, slots: Iterable[TextSlot]) -> dict[str, Found]:
        """The values of all texts. Raises `Refusal` for one that blocks."""
        values: dict[str, Found] = {}

        def collect(cluster: Cluster, value: str) -> None:
            if self._is_own(cluster.first) and self._action(cluster.first) == "block":
                self._decide(cluster, value)
            values[value] = cluster.first

        for slot in slots:
            if self._may_hold(slot):
                self._whole(slot, self.merged.finder, collect)
        return values

    def _may_hold(self, slot: TextSlot) -> bool:
        return self.merged.may_be_in((slot,), self._json) or bool(self.known is not None and self.known.find(slot.text))

    def _whole(self, slot: TextSlot, finder: Finder, decide: Decide, parts: Sequence[Found] = ()) -> str:
        told = None
        if parts:
            told = Told()
            marks = [Mark(one.start, one.end, Cluster(one.start, one.end, one)) for one in parts]
            told.tell(sorted(marks, key=lambda mark: mark.end), len(slot.text))
        return self.text(kind=slot.kind, finder=finder, decide=decide, told=told).feed(slot.text, end=True)

    def _decide(self, cluster: Cluster, value: str) -> str | None:
        found = cluster.first
        if not self._is_own(found):
            self.left[value] = found
            return None
        action = self._action(found)
        self._note(found.entity, action)
        if action == "block":
            raise Refusal("content_policy_violation")
        return None if action == "warn" else self.replacements[action](found, value)

    def _is_own(self, found: Found) -> bool:
        return found.family == self.merged.own.family

    def _action(self, found: Found) -> Action:
        return self.merged.own.actions[found.entity]
