"""What a request may use at most, before anything of it is sent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sentinel_core.context import Context
from sentinel_core.errors import Refusal
from sentinel_core.keys import CANDIDATES, Target
from sentinel_core.messages import Request, Usage
from sentinel_core.model_facts import ModelFacts
from sentinel_core.price import Price
from sentinel_core.prices import Prices
from sentinel_core.tokens import Tokens, choices, output_cap, upper_bound
from sentinel_plugins.rate_limit.config import RateLimitConfig

UNKNOWN_OUTPUT_TOKENS = 4_096
"""What is reserved for an answer of a model whose maximum nobody knows."""


class Estimate(msgspec.Struct, frozen=True):
    """Tokens of prompt and answer, the money that both may cost, and the price that says so, if there is one."""

    prompt: int
    output: int
    nanousd: int = 0
    price: Price | None = None
    service_tier: str | None = None

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.prompt + self.output


NOTHING = Estimate(0, 0)


class Estimator:
    """Counts prompts and prices them on the dearest target that may be called."""

    def __init__(self, config: RateLimitConfig, prices: Prices, tokens: Tokens) -> None:
        self._config = config
        self._prices = prices
        self._tokens = tokens

    async def of(self, ctx: Context, *, money: bool) -> Estimate:
        """The estimate for one request. With `money`, models without a price may be ruled out, as configured."""
        request = ctx.request
        if request.operation == "count_tokens":
            return NOTHING
        candidates = ctx.get(CANDIDATES) or ()
        if money and candidates and self._config.require_pricing:
            candidates = self._priced(ctx, candidates)
        if self._config.reserve == "upper_bound":
            prompt = upper_bound(request)
        else:
            model = candidates[0].model if candidates else request.model or ""
            prompt = (await self._tokens.prompt(request, model)).tokens
        cap = output_cap(request)
        if not candidates:
            return Estimate(prompt, self._output(request, cap, None))
        if len(candidates) == 1:
            return self._at(candidates[0], request, prompt, cap, money=money)
        each = [self._at(target, request, prompt, cap, money=money) for target in candidates]
        dearest = max(each, key=lambda estimate: estimate.nanousd)
        return msgspec.structs.replace(dearest, output=max(estimate.output for estimate in each))

    def _priced(self, ctx: Context, candidates: Sequence[Target]) -> tuple[Target, ...]:
        """Those with a price. Raises `Refusal` (model_not_allowed) where there are none."""
        unpriced = self._prices.unpriced(candidates)
        priced = tuple(target for target in candidates if target not in unpriced)
        if not priced:
            message = "The requested model has no price, and what this key uses must have one."
            raise Refusal("model_not_allowed", message, param="model")
        ctx[CANDIDATES] = priced
        return priced

    def _at(self, target: Target, request: Request, prompt: int, cap: int | None, *, money: bool) -> Estimate:
        """The estimate for one target."""
        price, facts = self._prices.known(target)
        output = self._output(request, cap, facts)
        if price is None or not money:
            return Estimate(prompt, output)
        tier = request.body.get("service_tier")
        tier = tier if isinstance(tier, str) else None
        if self._config.reserve == "upper_bound":
            return Estimate(prompt, output, price.at_most(prompt, output, tier), price, tier)
        return Estimate(prompt, output, price.total(Usage(prompt, output), tier), price, tier)

    def _output(self, request: Request, cap: int | None, facts: ModelFacts | None) -> int:
        """The cap, but no more than the model can write; without one, what is configured or all that it can write."""
        most = facts.max_output_tokens if facts is not None else None
        if cap is not None:
            return cap if most is None else min(cap, most * choices(request))
        return (self._config.max_output_tokens or most or UNKNOWN_OUTPUT_TOKENS) * choices(request)
