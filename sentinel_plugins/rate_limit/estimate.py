"""What a request may use at most, before anything of it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat.request import MAX_CAP
from sentinel_core.errors import Refusal
from sentinel_core.keys import CANDIDATES, Target
from sentinel_core.model_facts import ModelFacts
from sentinel_core.price import MILLION, Price
from sentinel_core.prices import Prices
from sentinel_core.tokens import Tokens, choices, output_cap, size_of
from sentinel_core.usage import Usage
from sentinel_plugins.rate_limit.config import RateLimitConfig

UNKNOWN_OUTPUT_TOKENS = 4_096
"""What is reserved for an answer of a model whose maximum nobody knows."""
_UNBOUND = (
    "Nobody here knows how many tokens {!r} stands for, and what this key uses must be known. Send the conversation "
    "itself, or ask for a model whose context window is known."
)

Priced: TypeAlias = tuple[Price | None, ModelFacts | None]
"""Of one target, as `Prices` knows them."""


class Estimate(msgspec.Struct, frozen=True):
    """Tokens of prompt and answers together, and the money that they may cost, each where that is most."""

    tokens: int = 0
    nanousd: int = 0


class Use(msgspec.Struct, frozen=True):
    """What one target may be used for: tokens of the prompt, of an answer without a cap and of the longest that the
    model writes, and the price of them; None where nobody knows."""

    prompt: int
    uncapped: int
    longest: int | None = None
    price: Price | None = None

    def output(self, cap: int | None, choices: int) -> int:
        """The most tokens of so many answers, which together may have `cap`."""
        if cap is None:
            return self.uncapped * choices
        longest = self.longest * choices if self.longest is not None else cap
        return longest if longest < cap else cap


class Asked(msgspec.Struct, frozen=True):
    """What a request asks of each target that may be called: `choices` answers, which together may have `cap` tokens.

    `surely` prices tokens as the dearest kind that they may turn out to be and at the dearest tier that may serve them,
    else as plain ones at the tier that is asked for.
    """

    uses: tuple[Use, ...] = ()
    choices: int = 1
    cap: int | None = None
    service_tier: str | None = None
    surely: bool = False

    def estimate(self) -> Estimate:
        """What it may use as it is."""
        return self._with(self.cap)

    def largest(self, fits: Callable[[Estimate], bool]) -> int | None:
        """The highest cap of each answer with which it fits, 0 if it does with none; None: it fits with any."""
        if fits(self._with(MAX_CAP * self.choices)):
            return None
        least, most = 0, MAX_CAP
        while most - least > 1:
            cap = (least + most) // 2
            if fits(self._with(cap * self.choices)):
                least = cap
            else:
                most = cap
        return least

    def _with(self, cap: int | None) -> Estimate:
        """What it may use where all its answers together may have so many tokens."""
        tokens = nanousd = 0
        for use in self.uses:
            output = use.output(cap, self.choices)
            both = use.prompt + output
            if both > tokens:
                tokens = both
            if use.price is not None:
                cost = self._nanousd(use.price, use.prompt, output)
                if cost > nanousd:
                    nanousd = cost
        return Estimate(tokens, nanousd)

    def _nanousd(self, price: Price, prompt: int, output: int) -> int:
        if self.surely:
            return price.at_most(prompt, output, self.service_tier)
        return price.total(Usage(prompt, output), self.service_tier)


NOTHING = Asked()


class Estimator:
    """Counts prompts, and prices them on every target that may be called."""

    def __init__(self, config: RateLimitConfig, prices: Prices, tokens: Tokens) -> None:
        self._config = config
        self._surely = config.reserve == "upper_bound"
        self._prices = prices
        self._tokens = tokens

    async def of(self, ctx: Context, *, tokens: bool, money: bool) -> Asked:
        """What one request asks for; `tokens` and `money` say which of them is limited.

        Some of its targets may be ruled out: with `money` those without a price, as configured, and those of whose
        prompt nobody knows the bound that is reserved. Raises `Refusal` where none is left.
        """
        request = ctx.request
        if request.operation == "count_tokens":
            return NOTHING
        candidates = ctx.get(CANDIDATES) or ()
        if money and candidates and self._config.require_pricing:
            candidates = self._priced(ctx, candidates)
        known: list[Priced] = [self._prices.known(target) for target in candidates] or [(None, None)]
        if self._surely:
            uses = self._bounded(ctx, known, tokens=tokens, money=money)
        else:
            model = candidates[0].model if candidates else request.model or ""
            prompt = (await self._tokens.prompt(request, model)).tokens
            uses = tuple([self._use(prompt, *one, money=money) for one in known])
        tier = request.body.get("service_tier")
        tier = tier if isinstance(tier, str) else None
        answers = choices(request)
        return Asked(uses, answers, output_cap(request, answers), tier, self._surely)

    def _priced(self, ctx: Context, candidates: Sequence[Target]) -> tuple[Target, ...]:
        """Those with a price. Raises `Refusal` (model_not_allowed) where there are none."""
        unpriced = self._prices.unpriced(candidates)
        priced = tuple(target for target in candidates if target not in unpriced)
        if not priced:
            message = "The requested model has no price, and what this key uses must have one."
            raise Refusal("model_not_allowed", message, param="model")
        ctx[CANDIDATES] = priced
        return priced

    def _bounded(self, ctx: Context, known: Sequence[Priced], *, tokens: bool, money: bool) -> tuple[Use, ...]:
        """The uses with the most tokens that the prompt may have. Targets where nobody knows that are ruled out, unless
        nothing that is limited depends on it. Raises `Refusal` (unsupported_parameter) where there are no others."""
        size = size_of(ctx.request)
        uses: list[Use] = []
        ruled_out: list[int] = []
        for place, (price, facts) in enumerate(known):
            bound = size.upper_bound(facts)
            if bound is None and not tokens and not (money and _costs(price)):
                bound = size.bytes
            if bound is not None:
                uses.append(self._use(bound, price, facts, money=money))
            else:
                ruled_out.append(place)
        if not uses:
            raise Refusal("unsupported_parameter", _UNBOUND.format(size.kept), param=size.kept)
        if ruled_out:
            candidates = ctx[CANDIDATES]
            ctx[CANDIDATES] = tuple([one for place, one in enumerate(candidates) if place not in ruled_out])
        return tuple(uses)

    def _use(self, prompt: int, price: Price | None, facts: ModelFacts | None, *, money: bool) -> Use:
        longest = facts.max_output_tokens if facts is not None else None
        uncapped = self._config.max_output_tokens or longest or UNKNOWN_OUTPUT_TOKENS
        return Use(prompt, uncapped, longest, price if money else None)


def _costs(price: Price | None) -> bool:
    """Whether anything does at this price."""
    return price is not None and price.at_most(MILLION, MILLION) > 0
