"""For whom a request counts, and what binds them: worked out once per caller, not per request."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from fnmatch import translate

from sentinel_core.addresses import network
from sentinel_core.context import Context
from sentinel_core.keys import CANDIDATES, PRINCIPAL, Principal
from sentinel_core.ledger import Payer
from sentinel_core.limits import Limits
from sentinel_core.state import Lease, Window, state_key
from sentinel_plugins.rate_limit.config import RateLimitConfig
from sentinel_plugins.rate_limit.headers import WindowHeaders
from sentinel_plugins.rate_limit.rows import PARTS, MoneyRow, Row, Subject

REMEMBERED = 4096
NOBODY = Principal("", "in-process")


class Bounds:
    """Everything that binds one caller with one kind of model, in the order in which it is asked for.

    `singles` are the windows of which every request takes one, `tokens` those of what it may use, `leases` its places
    (for longer, if its own time is). `estimated` is whether it matters how many tokens a request may have, `metered`
    how many it had. `admissions` is how the ids of reservations begin.
    """

    __slots__ = (
        "admissions",
        "budgets",
        "estimated",
        "headers",
        "leases",
        "limits",
        "metered",
        "rows",
        "singles",
        "token_keys",
        "tokens",
    )

    def __init__(self, principal: Principal, rows: tuple[Row, ...], config: RateLimitConfig) -> None:
        self.admissions = state_key(principal.tenant, "admission")
        self.limits = principal.limits
        parts = [row for row in rows if row.unit in PARTS]
        singles = [*(row for row in rows if row.unit == "requests"), *parts]
        tokens = [row for row in rows if row.unit == "tokens"]
        places = [row for row in rows if row.unit == "concurrency"]
        self.budgets = tuple(row for row in rows if isinstance(row, MoneyRow))
        self.rows = (*singles, *tokens, *places, *self.budgets)
        self.singles, self.tokens = (
            tuple(Window(row.key, row.limit, row.period_s, algorithm=config.algorithm) for row in windows)
            for windows in (singles, tokens)
        )
        self.leases = tuple(Lease(row.key, row.limit, config.lease_ttl_s) for row in places)
        self.token_keys = tuple(dict.fromkeys((row.key, row.unit) for row in (*tokens, *parts)))
        self.headers = WindowHeaders(self.rows)
        self.estimated = bool(self.tokens or self.budgets)
        self.metered = bool(self.token_keys or self.budgets)


class Subjects:
    """The bounds of callers: at most `REMEMBERED` of them are kept, whoever asks (L10)."""

    def __init__(self, config: RateLimitConfig) -> None:
        self._config = config
        self._client = config.client()
        self._patterns = tuple((pattern, re.compile(translate(pattern)).match) for pattern in config.models)
        self._bounds: OrderedDict[tuple[str, str, str, str | None, str], Bounds] = OrderedDict()

    def of(self, ctx: Context) -> Bounds:
        """What binds this request."""
        principal = ctx.get(PRINCIPAL) or _unknown(ctx)
        pattern = self._pattern(_model(ctx)) if self._patterns else ""
        place = (principal.tenant, principal.kind, principal.id, principal.user, pattern)
        bounds = self._bounds.get(place)
        if bounds is None or (bounds.limits is not principal.limits and bounds.limits != principal.limits):
            rows = tuple(self._rows(principal, pattern))
            bounds = Bounds(principal, rows, self._config)
            self._bounds[place] = bounds
            if len(self._bounds) > REMEMBERED:
                self._bounds.popitem(last=False)
        return bounds

    def _pattern(self, model: str) -> str:
        return next((pattern for pattern, fits in self._patterns if fits(model)), "")

    def _rows(self, principal: Principal, pattern: str) -> Iterator[Row]:
        found = [
            row
            for subject, id_, limits in self._limits(principal, pattern)
            for row in _of(principal, subject, id_, limits, self._payer(principal, subject, pattern))
        ]
        if not any(row.unit == "requests" for row in found):
            known = principal.kind != "anonymous"
            subject: Subject = "tenant" if known else "address"
            id_ = principal.tenant if known else principal.id
            found += _of(principal, subject, id_, self._client, self._payer(principal, subject, ""))
        tightest: dict[tuple[str, float, str], Row] = {}
        for row in found:
            place = (row.key, row.period_s, row.allowance.period if isinstance(row, MoneyRow) else row.unit)
            if place not in tightest or row.limit < tightest[place].limit:
                tightest[place] = row
        yield from tightest.values()

    def _payer(self, principal: Principal, subject: Subject, pattern: str) -> Payer:
        tenant, models = principal.tenant, self._fitting(pattern) if subject == "model" else None
        if subject == "user":
            return Payer(tenant, "user", principal.user or "")
        if subject == "key":
            return Payer(tenant, "key", principal.id)
        if principal.kind == "anonymous":
            return Payer(tenant, "principal", "" if principal is NOBODY else principal.id, models)
        return Payer(tenant, models=models)

    def _fitting(self, pattern: str) -> Callable[[str], bool]:
        return lambda model: self._pattern(model) == pattern

    def _limits(self, principal: Principal, pattern: str) -> Iterator[tuple[Subject, str, Limits]]:
        config, own = self._config, principal.limits
        if principal.kind == "anonymous":
            yield "address", principal.id, config.address
        else:
            yield "tenant", principal.tenant, own.get("tenant", config.tenant)
        if principal.kind == "key":
            yield "key", principal.id, own.get("key", config.key)
        if principal.user is not None:
            yield "user", principal.user, own.get("user", config.user)
        if pattern:
            whose = principal.id if principal.kind == "anonymous" else principal.tenant
            yield "model", f"{len(whose)}:{whose}:{pattern}", config.models[pattern]


def _unknown(ctx: Context) -> Principal:
    """Who asks where no stage says so: an address, or the network that one client owns."""
    return Principal("", network(ctx.client.address)) if ctx.client.address else NOBODY


def _model(ctx: Context) -> str:
    """The model that is asked for; of a request that names none, the one that would be called first."""
    candidates = ctx.get(CANDIDATES)
    return ctx.request.model or (candidates[0].model if candidates else "")


def _of(principal: Principal, subject: Subject, id_: str, limits: Limits, payer: Payer) -> Iterator[Row]:
    def key(unit: str) -> str:
        return state_key(principal.tenant, "limit", subject, id_, unit)

    for rate in limits.rates():
        yield Row(subject, rate.counted, rate.limit, key(rate.counter), rate.period_s)
    if limits.max_concurrency is not None:
        yield Row(subject, "concurrency", limits.max_concurrency, key("concurrency"))
    for allowance in limits.allowances():
        place = key(f"usd-{allowance.period}")
        yield MoneyRow(subject, "usd", allowance.nanousd, place, allowance=allowance, payer=payer)
