"""Every circuit of the process, by target."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Set
from time import monotonic

from sentinel_core.circuits import CircuitState
from sentinel_core.keys import Target
from sentinel_core.services import ServiceKey
from sentinel_plugins.breaker.circuit import Circuit
from sentinel_plugins.breaker.config import BreakerConfig

MAX_CIRCUITS = 1024
"""A provider without a list of models is asked for whatever callers make up: the least recently used are forgotten."""


class Circuits:
    """Lives as long as the gateway and outlives its generations. The newest configuration rules all circuits.

    `now` is what tells their time, in monotonic seconds: the clock of the stage that opened last.
    """

    def __init__(self) -> None:
        self.now: Callable[[], float] = monotonic
        self._circuits: OrderedDict[Target, Circuit] = OrderedDict()

    def of(self, target: Target, limits: BreakerConfig) -> Circuit:
        """The target's circuit, closed if there was none."""
        circuit = self._circuits.get(target)
        if circuit is None:
            circuit = self._circuits[target] = Circuit(limits)
            if len(self._circuits) > MAX_CIRCUITS:
                self._circuits.popitem(last=False)
        else:
            self._circuits.move_to_end(target)
            if circuit.limits is not limits:
                circuit.follow(limits)
        return circuit

    def states(self) -> Iterator[tuple[Target, CircuitState]]:
        """Each target that was called, and its circuit's state."""
        now = self.now()
        return ((target, circuit.shown(now)) for target, circuit in self._circuits.items())

    def ruled_by(self, limits: BreakerConfig) -> Set[Target]:
        """The targets that were called last by the stage of these limits."""
        return {target for target, circuit in self._circuits.items() if circuit.limits is limits}


OWN_CIRCUITS: ServiceKey[Circuits] = ServiceKey("circuits")
"""The service `circuits`, which the breakers of all generations share."""


class CircuitsOfChain:
    """The circuits that one chain is judged by: a reload may have taken the target of another one away."""

    def __init__(self, circuits: Circuits, limits: BreakerConfig) -> None:
        self._circuits = circuits
        self._limits = limits

    def states(self, named: Set[Target]) -> Iterator[tuple[Target, CircuitState]]:
        """See `sentinel_core.services.CircuitStates`."""
        judged = named | self._circuits.ruled_by(self._limits)
        return (found for found in self._circuits.states() if found[0] in judged)
