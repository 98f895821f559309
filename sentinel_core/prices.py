"""The service `prices`: which price is a target's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sentinel_core.keys import Target
from sentinel_core.model_facts import ModelCatalogue, ModelFacts
from sentinel_core.price import FREE, CostBreakdown, Price
from sentinel_core.provider import Provider
from sentinel_core.usage import Usage

__all__ = ["CostBreakdown", "Price", "Prices"]

_REMEMBERED = 4096
_NO_KINDS: Mapping[str, type[Provider]] = MappingProxyType({})


class Prices:
    """What each target costs, decided once per generation.

    A row of the catalogue is a target's if its id is `<table>/<model>`, of its own table or of the one that it is a
    further key of, or `<kind>/<model>`, or the model's alone and its provider the target's kind. A provider whose kind
    is free costs 0 unless a row says otherwise. Without a catalogue nothing has a price.
    """

    __slots__ = ("_catalogue", "_found", "_kinds", "version")

    def __init__(
        self, catalogue: ModelCatalogue | None = None, kinds: Mapping[str, type[Provider]] = _NO_KINDS
    ) -> None:
        self._catalogue = catalogue
        self._kinds = kinds
        self._found: dict[Target, tuple[Price | None, ModelFacts | None]] = {}
        self.version = catalogue.version if catalogue is not None else ""

    def of(self, target: Target) -> Price | None:
        """The target's price; None where nobody knows it."""
        return self.known(target)[0]

    def facts(self, target: Target) -> ModelFacts | None:
        """The catalogue's row for a target."""
        return self.known(target)[1]

    def known(self, target: Target) -> tuple[Price | None, ModelFacts | None]:
        """A target's price and its row in the catalogue, each None where nobody knows it."""
        found = self._found.get(target)
        if found is None:
            facts = self._row(target)
            found = self._price(target, facts), facts
            if len(self._found) >= _REMEMBERED:  # clients choose names where a provider takes any
                self._found.clear()
            self._found[target] = found
        return found

    def _row(self, target: Target) -> ModelFacts | None:
        kind, catalogue = self._kind(target), self._catalogue
        if catalogue is None:
            return None
        places = (target.provider, target.upstream, kind)  # a further key of a provider has that one's price
        for name in (*[f"{place}/{target.model}" for place in places], target.model):
            facts = catalogue.find(name)
            if facts is not None and (name != target.model or facts.provider == kind):
                return facts
        return None

    def cost(self, target: Target, usage: Usage, service_tier: str | None = None) -> CostBreakdown | None:
        """What a call of this target costs; None where its price is not known."""
        price = self.of(target)
        return None if price is None else price.cost(usage, service_tier)

    def unpriced(self, targets: Iterable[Target]) -> tuple[Target, ...]:
        """Those of the targets that have no price."""
        return tuple(target for target in targets if self.of(target) is None)

    def _price(self, target: Target, facts: ModelFacts | None) -> Price | None:
        price = Price.of(facts, self.version) if facts is not None else None
        kind = self._kinds.get(target.provider)
        return FREE if price is None and kind is not None and kind.free else price

    def _kind(self, target: Target) -> str:
        kind = self._kinds.get(target.provider)
        return kind.name if kind is not None else target.provider
