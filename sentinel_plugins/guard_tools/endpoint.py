"""`POST /v1/guard`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from sentinel_core.addresses import network
from sentinel_core.chain import ChainPlan
from sentinel_core.decoding import decode_json
from sentinel_core.endpoints import ADMIN, NO_STORE, Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.asking import new_id
from sentinel_core.keys import Principal
from sentinel_core.limits import details_of
from sentinel_core.stage import Stage
from sentinel_core.state import ClaimState, Window, state_key
from sentinel_plugins.guard_tools.config import GuardApiConfig
from sentinel_plugins.guard_tools.guards import Asked, Guards, live
from sentinel_plugins.guard_tools.report import GuardAnswer, GuardQuestion, GuardReport, answer, report

SCOPE = "guard"
"""The scope of those who may ask the guards. Administrators may as well, and anybody where nobody has a key."""
PERIOD_S = 60.0


class Routes:
    """The handler of one gateway."""

    def __init__(self, gateway: Gateway, config: GuardApiConfig) -> None:
        self._gateway = gateway
        self._config = config
        self._json_limits = gateway.settings.server.json_limits
        self._known: tuple[ChainPlan, Guards] | None = None

    def all(self) -> tuple[Endpoint, ...]:
        """Every route."""
        text = "What the guards would do with texts: types and places of what they find, and nothing of the text"
        declared = (GuardQuestion, GuardAnswer, text, ("guards",), SCOPE)
        return (Endpoint("POST", "/v1/guard", self._guard, "caller", *declared),)

    async def _guard(self, request: HttpRequest) -> HttpReply:
        _check_scope(request.principal)
        await self._admit(request)
        question = self._question(request.body)
        asked = tuple(question.asked(request.principal, request.id))
        self._check_size(asked)
        with self._gateway.stages() as (plan, stages):
            guards = self._guards(plan, stages)
            reports = [await _report(guards, name, question, asked) for name in _wanted(guards, question)]
        return HttpReply(answer(question, reports), headers=NO_STORE)

    async def _admit(self, request: HttpRequest) -> None:
        """Raise `Refusal` (rate_limit_exceeded, state_unavailable) for whoever asks too often."""
        who = request.principal or Principal("", network(request.client.address))
        window = Window(
            state_key(who.tenant, "guard_api", who.kind, who.id), self._config.requests_per_minute, PERIOD_S
        )
        admission = await self._gateway.state.admit(state_key(who.tenant, "guard_api", new_id()), [window])
        if not admission.admitted:
            raise _too_often(who, window, admission.claims[0])

    def _question(self, body: bytes) -> GuardQuestion:
        value = decode_json(body, self._json_limits)
        try:
            return msgspec.convert(value, GuardQuestion)
        except msgspec.ValidationError as error:
            raise Refusal("invalid_parameter", f"The request is not valid: {error}.") from None

    def _check_size(self, asked: Iterable[Asked]) -> None:
        chars = sum(one.chars for one in asked)
        if chars > self._config.max_chars:
            message = f"The texts have {chars} characters; at most {self._config.max_chars} are looked at."
            raise Refusal("request_too_large", message)

    def _guards(self, plan: ChainPlan, stages: Sequence[Stage]) -> Guards:
        """Those of the chain in force, made ready once for each."""
        if self._known is None or self._known[0] is not plan:
            self._known = (plan, live(plan, stages))
        return self._known[1]


def _too_often(who: Principal, window: Window, state: ClaimState) -> Refusal:
    """Says what every limit says of itself."""
    subject = who.kind if who.kind != "anonymous" else "address"
    details = details_of(subject, "requests", window.limit, state.remaining, window.period_s)
    message = f"This {subject} may ask the guards {window.limit} times a minute."
    return Refusal("rate_limit_exceeded", message, retry_after_s=state.retry_after_s, details=details)


def _check_scope(principal: Principal | None) -> None:
    """Raise `Refusal` (route_not_allowed) for a key that was not given the scope."""
    if principal is not None and principal.kind != "anonymous" and principal.scopes.isdisjoint((ADMIN, SCOPE)):
        raise Refusal("route_not_allowed", f"This route needs a key with the scope {SCOPE!r}.")


def _wanted(guards: Guards, question: GuardQuestion) -> Sequence[str]:
    """Names of guards, in chain order. Raises `Refusal` for one that there is not."""
    if question.guards is None:
        return guards.names
    for name in question.guards:
        if name not in guards.names:
            message = f"There is no guard {name[:64]!r} here; there are: {', '.join(guards.names) or 'none'}."
            raise Refusal("invalid_parameter", message, param="guards")
    return [name for name in guards.names if name in question.guards]


async def _report(guards: Guards, name: str, question: GuardQuestion, asked: Sequence[Asked]) -> GuardReport:
    checked = []
    for one in asked:
        checked.append(await guards.check(name, one))
        await asyncio.sleep(0)  # between two texts others have their turn
    return report(question, guards.mode(name), checked)
