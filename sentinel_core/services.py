"""What a stage or a provider is given: the outside world behind small Protocols."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from logging import Logger, getLogger
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

import msgspec

from sentinel_core.circuits import CircuitState
from sentinel_core.counts import Counts
from sentinel_core.keys import Principal, Target
from sentinel_core.records import RecordStore
from sentinel_core.state import StateStore

if TYPE_CHECKING:
    from sentinel_core.config import ServerSettings
    from sentinel_core.gateway import Gateway
    from sentinel_core.ledger import Ledger
    from sentinel_core.model_facts import ModelCatalogue
    from sentinel_core.prices import Prices
    from sentinel_core.tokens import Tokens

T = TypeVar("T")


class Clock(Protocol):
    """Time. Tests put a fake one here."""

    def monotonic(self) -> float:
        """Seconds that never jump; for durations and deadlines."""
        ...

    def time(self) -> float:
        """Seconds since the epoch; for what people read."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long on this clock."""
        ...


class HttpTimeouts(msgspec.Struct, frozen=True):
    """The four limits of one call, in seconds. `total_s` counts from the start of the call to its last byte."""

    connect_s: float = 5.0
    first_byte_s: float = 60.0
    idle_s: float = 60.0
    total_s: float = 600.0


DEFAULT_TIMEOUTS = HttpTimeouts()


class HttpResponse(Protocol):
    """One response of an upstream whose head has arrived."""

    status: int
    headers: Mapping[str, str]

    async def read(self, limit: int) -> bytes:
        """The whole body, decompressed; `UpstreamError` (upstream_invalid_response) past `limit` bytes."""
        ...

    def chunk(self) -> Awaitable[bytes]:
        """The next piece of the body as it arrived, decompressed; b"" at a clean end."""
        ...

    async def release(self) -> None:
        """The body was read to its end: give the connection back to the pool."""
        ...

    async def abort(self) -> None:
        """Close the connection now. Safe to call again and after `release`."""
        ...


class HttpClient(Protocol):
    """A connection pool to upstreams: no redirects, no cookies, bounded sizes."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeouts: HttpTimeouts = DEFAULT_TIMEOUTS,
        deadline: float | None = None,
    ) -> HttpResponse:
        """Send one request and wait for the head of its response.

        `deadline` (monotonic seconds) shortens the limits, never lengthens them. Raises `UpstreamError` with
        upstream_unreachable, upstream_tls_error, upstream_timeout, upstream_connection_reset or upstream_redirect.
        A deadline that passed before there was a connection is not `attempted`, and a cancellation is noted as unsent.
        """
        ...


class HttpPools(Protocol):
    """Makes connection pools, one per provider."""

    def pool(self, *, connections: int) -> AbstractAsyncContextManager[HttpClient]:
        """A pool of at most `connections` connections, closed with the context."""
        ...


CIRCUITS = "circuits"
"""Where a breaker leaves its `CircuitStates` in `Services.shared`: they end with its chain."""


class CircuitStates(Protocol):
    """What this process thinks of its targets, where a breaker is in the chain."""

    def states(self, named: Set[Target]) -> Iterable[tuple[Target, CircuitState]]:
        """Each target that was called by this chain, or by an earlier one if it is among those that are `named`, and
        its circuit's state."""
        ...


class UsageSums(Protocol):
    """The service `usage_sums`, where a ledger is in the chain."""

    async def of(self, gateway: Gateway, principal: Principal) -> msgspec.Struct:
        """What the calls came to that this caller may see. Raises `Refusal` (ledger_unavailable)."""
        ...


class ServiceKey(str, Generic[T]):
    """A typed name for a service: what plugins contribute it under, and what it is asked for with.

    >>> WORDS: ServiceKey[Words] = ServiceKey("acme_words")
    >>> words = services.find(WORDS, Words)

    Two keys of one name are one service, which each of its users may see behind a Protocol of its own.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a plugin may use of the outside world. `extra` holds services that plugins contribute by name, which
    `find` gives; `counts` is what this process counts. `shared` is empty when a generation opens: what its stages leave
    there for each other ends with it. `dry_run` says that nothing may come of it: the stores keep nothing, and whoever
    would make something else, such as a file, does not."""

    clock: Clock
    http: HttpPools
    executor: Executor
    state: StateStore
    records: RecordStore
    counts: Counts = field(default_factory=Counts)
    logger: Logger = field(default_factory=lambda: getLogger("sentinel"))
    extra: Mapping[str, Any] = field(default_factory=dict)  # each behind its own Protocol
    shared: dict[str, Any] = field(default_factory=dict)  # of whatever kind its users agree on
    dry_run: bool = False

    @overload
    def find(self, key: ServiceKey[T]) -> T | None: ...
    @overload
    def find(self, key: ServiceKey[T], default: Callable[[], T]) -> T: ...
    def find(self, key: ServiceKey[T], default: Callable[[], T] | None = None) -> T | None:
        """The service of this name; what `default` makes, or None, where nobody brings it, as in a test of a stage."""
        if key in self.extra:
            found: T = self.extra[key]
            return found
        return default() if default is not None else None


ServiceFactory = Callable[[], Any]  # a service behind its own Protocol

CATALOGUE: ServiceKey[ModelCatalogue] = ServiceKey("catalogue")
"""What is known about models, the operator's own rows among it; the gateway's own."""
LEDGER: ServiceKey[Ledger] = ServiceKey("ledger")
"""What was spent, where the usage is written down."""
LOCAL_STATE: ServiceKey[StateStore] = ServiceKey("local_state")
"""A state store of this process, beside a shared one."""
PRICES: ServiceKey[Prices] = ServiceKey("prices")
"""What each target costs; the gateway's own."""
SERVER: ServiceKey[ServerSettings] = ServiceKey("server")
"""The table `[server]`; the gateway's own."""
TOKENS: ServiceKey[Tokens] = ServiceKey("tokens")
"""Who counts tokens."""
USAGE_SUMS: ServiceKey[UsageSums] = ServiceKey("usage_sums")
"""The sums of the ledger, where the usage is written down."""
