"""`Auth`: who asks, and what they may use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import ClassVar, Self

from sentinel_core.attempt import made
from sentinel_core.authenticator import HEAD_CHECK
from sentinel_core.context import Client, Context, Outcome
from sentinel_core.costs import COSTS
from sentinel_core.errors import ConfigProblem, Refusal
from sentinel_core.extras import how_to_install
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import CANDIDATES, PRINCIPAL, UNHEARD, Key, Principal
from sentinel_core.permission import permits
from sentinel_core.services import Services
from sentinel_core.stage import Stage
from sentinel_plugins.auth.callers import Callers, Seen, Source, static_keys
from sentinel_plugins.auth.config import AuthConfig
from sentinel_plugins.auth.counting import UNCOUNTED, counted
from sentinel_plugins.auth.denied import Denied
from sentinel_plugins.auth.digest import Digests
from sentinel_plugins.auth.guessing import Unheard
from sentinel_plugins.auth.known import Known
from sentinel_plugins.auth.memory import MEMORY, Memory
from sentinel_plugins.auth.tenants import Tenants
from sentinel_plugins.auth.virtual_keys import VirtualKeys
from sentinel_plugins.auth.zion.account import Account
from sentinel_plugins.auth.zion.meter import Meter

ACCOUNT: Key[Account] = Key("account")
"""What Zion says of the user."""


class Auth(Stage):
    """States the principal, and leaves of the candidates those that the principal may use, by their own names: an alias
    or a fallback gives nobody a model that they may not use (Z11).

    Whoever is not known is refused; whoever cannot be known now is refused with state_unavailable (R13). `keys` is None
    where no keys are made at run time, `meter` where Zion is not told.
    """

    name: ClassVar[str] = "auth"
    Config: ClassVar[type[AuthConfig]] = AuthConfig
    reads = (CANDIDATES,)
    writes = {"on_request": (PRINCIPAL, UNHEARD, CANDIDATES), "on_finish": (COSTS,)}  # noqa: RUF012 - declared so by the base

    def __init__(
        self,
        config: AuthConfig,
        callers: Callers,
        tenants: Tenants,
        keys: VirtualKeys | None = None,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(config)
        self.fixed_keys = config.fixed_keys
        self.callers = callers
        self.tenants = tenants
        self.keys = keys
        self.meter = meter

    @classmethod
    def unused(cls, config: AuthConfig) -> tuple[str, ...]:
        """Only Zion is told what was used."""
        return () if config.zion is not None else ("on_finish",)

    @classmethod
    def authenticates(cls, config: AuthConfig) -> bool:
        """Not without keys: then everybody is anonymous."""
        return config.authenticates

    @classmethod
    def missing(cls, config: AuthConfig) -> Iterator[ConfigProblem]:
        """The packages without which no token can be verified."""
        packages = [name for name in ("jwt", "cryptography") if find_spec(name) is None]
        if config.jwt is not None and packages:
            message = f"needs the packages {' and '.join(packages)}"
            yield ConfigProblem(message, table="stages.auth.jwt", suggestion=how_to_install("auth"))

    @classmethod
    def warnings(cls, config: AuthConfig, chain: Sequence[type[Stage]]) -> Iterator[str]:
        """Limits that nobody counts."""
        if config.states_limits and not counted(chain):
            yield UNCOUNTED

    @classmethod
    @asynccontextmanager
    async def open(cls, config: AuthConfig, services: Services) -> AsyncIterator[Self]:
        """The stage with its keys, and with what asks issuers and Zion where they are configured."""
        memory = services.find(MEMORY, Memory)
        clock = services.clock
        records = services.records if config.pepper is not None else None
        tenants = Tenants(config, records)
        sources: list[Source] = []
        keys = meter = None
        async with AsyncExitStack() as stack:
            if config.pepper is not None:
                keys = VirtualKeys(services.records, Digests(config.pepper), tenants, clock, config.cache_ttl_s)
                sources.append(keys)
            if config.jwt is not None:
                from sentinel_plugins.auth.jwt import opening as jwt  # the extra `auth` brings what it imports

                sources.append(await stack.enter_async_context(jwt.opened(config.jwt, tenants, services, memory)))
            if config.zion is not None:
                from sentinel_plugins.auth.zion import opening as zion

                users, meter = await stack.enter_async_context(zion.opened(config.zion, tenants, services, memory))
                sources.append(users)
            static = static_keys(config, tenants.declared, memory.fingerprints)
            callers = Callers(config, static, sources, memory, clock, services.counts)
            stack.push_async_callback(callers.close)
            yield cls(config, callers, tenants, keys, meter)

    @hookimpl
    def on_request(self, ctx: Context) -> Awaitable[None] | None:
        """Let those in who are known and may use the route and a target. Waits only for look-ups."""
        try:
            found = self._seen(ctx) or self.callers.recall(ctx.client)
        except Refusal as error:
            self._tell(ctx, error)
            raise
        if isinstance(found, Seen):
            _admit(ctx, found.known)
            return None
        return self._admit_later(ctx, self.callers.find(found))

    def _seen(self, ctx: Context) -> Seen | None:
        """Whoever was admitted by the head, unless they ceased to be believed while the body came (Z10)."""
        check = ctx.get(HEAD_CHECK)
        seen = check.found if check is not None else None
        return self.callers.again(seen) if isinstance(seen, Seen) else None

    async def _admit_later(self, ctx: Context, finding: Awaitable[Seen]) -> None:
        try:
            seen = await finding
        except Refusal as error:
            self._tell(ctx, error)
            raise
        _admit(ctx, seen.known)

    def _tell(self, ctx: Context, error: Refusal) -> None:
        """What observers are to know of whoever is not admitted."""
        if isinstance(error, Denied):
            ctx[PRINCIPAL] = error.principal
        elif isinstance(error, Unheard) and self.callers.guessing.is_told(ctx.client.address):
            ctx[UNHEARD] = True

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Outcome) -> Awaitable[None] | None:
        """Note what a user of Zion used, where a provider was called."""
        account = ctx.get(ACCOUNT)
        if account is None or self.meter is None or not made(ctx.attempts):
            return None
        return self.meter.note(ctx, outcome, account)

    async def authenticate(self, client: Client) -> Principal:
        """Who this is, for routes outside the chain."""
        return (await self.admit(client)).known.principal

    async def admit(self, client: Client) -> Seen:
        """Whoever may use the route, by the head alone. Raises `Refusal`."""
        found = self.callers.recall(client)
        seen = found if isinstance(found, Seen) else await self.callers.find(found)
        _check_route(client, seen.known.principal)
        return seen


def _admit(ctx: Context, known: Known) -> None:
    principal = ctx[PRINCIPAL] = known.principal  # first, so that records name whoever is refused
    _check_route(ctx.client, principal)
    if known.account is not None:
        known.account.check()
        ctx[ACCOUNT] = known.account
    candidates = ctx.get(CANDIDATES)
    if principal.models is None or not candidates:
        return  # of a model that nobody knows, routing says so
    permitted = tuple(target for target in candidates if permits(principal.models, target.model))
    if not permitted:
        raise Refusal("model_not_allowed", param="model")
    ctx[CANDIDATES] = permitted


def _check_route(client: Client, principal: Principal) -> None:
    if client.route and not permits(principal.routes, client.route):
        raise Denied(principal)
