"""Which circuits a gateway's providers are judged by."""

from __future__ import annotations

from collections.abc import Mapping, Set

from sentinel_core.circuits import CircuitState
from sentinel_core.gateway.gateway import Gateway
from sentinel_core.keys import Target
from sentinel_core.services import CIRCUITS, CircuitStates


def states_by_provider(gateway: Gateway) -> Mapping[str, Set[CircuitState]]:
    """The states of the circuits of each open provider's targets; none where no breaker is in the chain."""
    circuits: CircuitStates | None = gateway.services.shared.get(CIRCUITS) if gateway.started else None
    states: dict[str, set[CircuitState]] = {}
    for target, state in circuits.states(_named(gateway)) if circuits is not None else ():
        if target.provider in gateway.providers:
            states.setdefault(target.provider, set()).add(state)
    return states


def _named(gateway: Gateway) -> Set[Target]:
    """Every target of a model that the configuration or a provider lists, and those that a request without a model
    would be sent to."""
    listed = (model for provider in gateway.providers.values() for model in provider.models())
    models = (None, *(model.name for model in gateway.settings.models), *listed)
    return {target for model in models for target in gateway.candidates(model)}
