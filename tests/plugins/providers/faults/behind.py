"""A whole gateway in front of a faulty upstream, asked as a client asks, and what its breaker made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue, TomlTable
from sentinel_core.keys import Target
from sentinel_plugins.breaker.circuits import OWN_CIRCUITS, Circuits
from sentinel_plugins.breaker.config import BreakerConfig
from sentinel_server.app import asgi
from tests.plugins.providers.faults.rig import BODY
from tests.plugins.providers.spoken import gateway_with, table_of
from tests.server.asgi_client import AsgiClient
from tests.server.gateway_fixture import CHAT, encoded
from tests.server.wire import Answer
from tests.upstream.api import Said
from tests.upstream.apis import Spoken

Verdict: TypeAlias = Literal["failure", "neutral", "quarantine"]

HAIR_TRIGGER: TomlTable = {"failure_threshold": 1, "recovery_timeout_s": 5.0, "quarantine_s": 77.0}
"""One call is enough to see what it counts as."""
RETRYING: TomlTable = {"base_delay_s": 0.001}
SPARE = Said("spare")


def gateway_at(spoken: Spoken, root: str, spare: str = "", **more: Any) -> Gateway:  # stages; fields of the provider
    """A gateway whose model `m` is served by the provider `faulty`, and after it by `spare` if there is any.

    Of `more`, mappings are tables of stages, everything else fields of the faulty provider's configuration.
    """
    stages = {name: table for name, table in more.items() if isinstance(table, Mapping)}
    fields = {name: value for name, value in more.items() if name not in stages}
    tables = {"faulty": table_of(spoken, root, **fields)}
    if spare:
        tables["spare"] = table_of(spoken, spare)
    return gateway_with(tables, {"m": [*tables]}, **{"routing": {}, **stages})


async def asked(gateway: Gateway, *, stream: bool = False, **fields: JsonValue) -> Answer:
    """What a client of OpenAI's format is answered."""
    client = AsgiClient(asgi(gateway), path=CHAT, body=encoded({**BODY, "stream": stream, **fields}))
    await client.ended()
    return client.answer


def verdict(gateway: Gateway) -> Verdict:
    """What a breaker with a hair trigger made of the only call of the faulty target."""
    circuit = gateway.services.find(OWN_CIRCUITS, Circuits).of(Target("faulty", "m"), BreakerConfig(**HAIR_TRIGGER))
    if circuit.state == "closed":
        return "neutral"
    remaining_s = circuit.remaining_s(gateway.services.clock.monotonic())
    return "quarantine" if remaining_s > HAIR_TRIGGER["recovery_timeout_s"] else "failure"
