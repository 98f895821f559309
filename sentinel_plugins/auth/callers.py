"""Who presents a credential: known at once, or looked up where such credentials are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import NamedTuple, Protocol

import msgspec

from sentinel_core.addresses import network
from sentinel_core.context import Client
from sentinel_core.counts import Counts
from sentinel_core.errors import Refusal
from sentinel_core.keys import Principal
from sentinel_core.services import Clock
from sentinel_plugins.auth.config import AuthConfig, StaticKey
from sentinel_plugins.auth.credential import ADMIN_HEADER, invalid, presented
from sentinel_plugins.auth.digest import Fingerprints
from sentinel_plugins.auth.flights import Flights
from sentinel_plugins.auth.guessing import Guessing
from sentinel_plugins.auth.known import Cache, Known
from sentinel_plugins.auth.memory import Memory
from sentinel_plugins.auth.names import ANONYMOUS
from sentinel_plugins.auth.tenants import DEFAULT, Tenant, principal_of

FOREVER = float("inf")


class Source(Protocol):
    """One kind of credential."""

    def takes(self, text: str) -> bool:
        """Whether the text has the form of such a credential. Asks nobody."""
        ...

    async def known(self, text: str, fingerprint: bytes) -> Known:
        """Whose it is; `fingerprint` is what this process remembers the text by. Raises `Refusal`: invalid_api_key only
        where that is certain."""
        ...


class Seen(msgspec.Struct, frozen=True):
    """Somebody who is known, and what this is remembered by: empty for whoever need not say who they are."""

    known: Known
    fingerprint: bytes = b""


class Unfamiliar(NamedTuple):
    """A credential that must be looked up."""

    text: str
    fingerprint: bytes
    address: str


class Callers:
    """Everybody who may call. `sources` are asked in their order, the first that takes a credential decides."""

    def __init__(
        self,
        config: AuthConfig,
        static: Mapping[bytes, Known],
        sources: Sequence[Source],
        memory: Memory,
        clock: Clock,
        counts: Counts,
    ) -> None:
        self._required = config.authenticates
        self._static = static
        self._sources = tuple(sources)
        self._fingerprints = memory.fingerprints
        refused = counts.count("guesses_refused", "Requests that were refused because their address guessed keys")
        self.guessing = Guessing(config.max_failures_per_minute, clock, memory.failures, refused)
        self.flights: Flights[Known] = Flights()
        self.cache = Cache(clock, memory.valid)

    def recall(self, client: Client) -> Seen | Unfamiliar:
        """Who this is, where no store has to be asked. Raises `Refusal` (invalid_api_key, rate_limit_exceeded)."""
        headers = client.headers
        if not self._required and ADMIN_HEADER not in headers:
            # Clients that insist on some key send one to gateways without keys, too.
            return Seen(self._static_only(headers) or _anonymous(client.address))
        text = self._presented(client)
        fingerprint = self._fingerprints.of(text)
        known = self._believed(fingerprint)
        if known is not None:
            return Seen(known, fingerprint)
        if not self.cache.was_valid(fingerprint):
            self.guessing.check(client.address)
        return Unfamiliar(text, fingerprint, client.address)

    def again(self, seen: Seen) -> Seen | None:
        """Somebody seen a moment ago, as they are known now; None where they are to be looked at anew."""
        known = self._believed(seen.fingerprint)
        return Seen(known, seen.fingerprint) if known is not None else None

    async def find(self, unfamiliar: Unfamiliar) -> Seen:
        """Who this is, looked up. Raises `Refusal`: invalid_api_key, state_unavailable, what the source says."""
        fingerprint = unfamiliar.fingerprint
        return Seen(await self.flights.join(fingerprint, lambda: self._found(unfamiliar)), fingerprint)

    async def close(self) -> None:
        """End look-ups that are under way."""
        await self.flights.close()

    def _believed(self, fingerprint: bytes) -> Known | None:
        return self._static.get(fingerprint) or self.cache.get(fingerprint)

    async def _found(self, unfamiliar: Unfamiliar) -> Known:
        """Whoever it is. Look-ups that fail are those of whoever asked first; a credential that was valid when it was
        looked up last waits for no guess."""
        text, fingerprint, address = unfamiliar
        async with nullcontext() if self.cache.was_valid(fingerprint) else self.guessing.turn(address):
            try:
                return await self._look_up(text, fingerprint)
            except Refusal as error:
                if error.code == "invalid_api_key":
                    self.cache.drop(fingerprint)
                    self.guessing.note(address)
                raise

    async def _look_up(self, text: str, fingerprint: bytes) -> Known:
        epoch = self.cache.epoch
        for source in self._sources:
            if source.takes(text):
                known = await source.known(text, fingerprint)
                self.cache.put(fingerprint, known, epoch)
                return known
        raise invalid()

    def _presented(self, client: Client) -> str:
        try:
            text = presented(client.headers)
        except Refusal:
            self.guessing.check(client.address)
            self.guessing.note(client.address)
            raise
        if text is None:  # no guess; but whoever is not heard is not heard without one either
            self.guessing.check(client.address)
            raise invalid()
        return text

    def _static_only(self, headers: Mapping[str, str]) -> Known | None:
        """An administrator among anonymous callers."""
        if not self._static:
            return None
        try:
            text = presented(headers)
        except Refusal:
            return None
        return self._static.get(self._fingerprints.of(text)) if text is not None else None


def _anonymous(address: str) -> Known:
    return Known(Principal(ANONYMOUS, network(address) or "in-process"), FOREVER)


def static_keys(config: AuthConfig, tenants: Mapping[str, Tenant], fingerprints: Fingerprints) -> dict[bytes, Known]:
    """The keys of the configuration, by their fingerprints."""
    return {
        fingerprints.of(key.secret.reveal()): Known(_static(name, key, tenants), FOREVER)
        for name, key in config.fixed_keys.items()
    }


def _static(name: str, key: StaticKey, tenants: Mapping[str, Tenant]) -> Principal:
    tenant = tenants.get(key.tenant) or DEFAULT
    return principal_of(
        tenant,
        name,
        user=key.user,
        scopes=key.scopes,
        models=key.models,
        routes=key.routes,
        limits={"key": key.limits},
    )
