"""What tokens cost: exact integers from the catalogue's dollars to one rounding at the end of a call.

A rate is nano-dollars for a million tokens, so a price in dollars with up to nine decimals is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import msgspec

from sentinel_core.limits import NANO, nanousd
from sentinel_core.model_facts import ModelFacts, PriceTier
from sentinel_core.usage import Usage

MILLION = 1_000_000
_UNITS = MILLION * MILLION  # tokens of a rate, times millionths of a factor
_PLAIN = frozenset({"default", "standard", "standard_only"})
"""The providers' words for the plain tier. They bind where a request names one: it is served by no other."""

DEAREST = 1 << 53
"""Nano-dollars of one call, at most: above any budget, and the last number that every store counts exactly. Only counts
of tokens that make no sense cost more, and these would be in the budget and not in the ledger."""

T = TypeVar("T")


class CostBreakdown(NamedTuple):
    """What a call cost, in nano-dollars. The parts add up to the total, which alone was rounded."""

    input_nanousd: int
    output_nanousd: int

    @property
    def total_nanousd(self) -> int:
        """Both together."""
        return self.input_nanousd + self.output_nanousd

    @property
    def input_cost(self) -> float:
        """The prompt's part in dollars."""
        return self.input_nanousd / NANO

    @property
    def output_cost(self) -> float:
        """The answer's part in dollars."""
        return self.output_nanousd / NANO

    @property
    def total_cost(self) -> float:
        """The whole in dollars."""
        return self.total_nanousd / NANO


class Rates(msgspec.Struct, frozen=True):
    """Nano-dollars for a million tokens of each kind. `cached`, `cache_write` and `cache_write_1h` are kinds of prompt
    tokens, `reasoning` one of answer tokens."""

    input: int
    output: int
    cached: int
    cache_write: int
    cache_write_1h: int
    reasoning: int
    _dearest_prompt: int = 0
    _dearest_answer: int = 0

    def __post_init__(self) -> None:
        prompt = max(self.input, self.cached, self.cache_write, self.cache_write_1h)
        answer = max(self.output, self.reasoning)
        msgspec.structs.force_setattr(self, "_dearest_prompt", prompt)
        msgspec.structs.force_setattr(self, "_dearest_answer", answer)

    @classmethod
    def of(cls, row: ModelFacts | PriceTier) -> Rates | None:
        """The rates of a row. A kind without a rate of its own costs what its plain tokens do, and what is written for
        an hour what other written tokens do; without plain ones, nothing is known. An explicit 0 is a rate; what only
        embeds writes nothing that could cost anything."""
        input_usd, output_usd = row.input_usd, row.output_usd
        if output_usd is None and isinstance(row, ModelFacts) and row.only_embeds:
            output_usd = 0.0
        if input_usd is None or output_usd is None:
            return None
        write_usd = _given(row.cache_write_usd, input_usd)
        return cls(
            input=nanousd(input_usd),
            output=nanousd(output_usd),
            cached=nanousd(_given(row.cached_input_usd, input_usd)),
            cache_write=nanousd(write_usd),
            cache_write_1h=nanousd(_given(row.cache_write_1h_usd, write_usd)),
            reasoning=nanousd(_given(row.reasoning_usd, output_usd)),
        )

    def prompt(self, usage: Usage) -> int:
        """Rate times tokens of a prompt. Cached and written tokens are never more than the prompt has."""
        if not (usage.cached_tokens or usage.cache_write_tokens):
            return usage.prompt_tokens * self.input
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        written = min(usage.cache_write_tokens, usage.prompt_tokens - cached)
        plain = usage.prompt_tokens - cached - written
        longer = min(usage.cache_write_1h_tokens, written)
        writes = (written - longer) * self.cache_write + longer * self.cache_write_1h
        return plain * self.input + cached * self.cached + writes

    def answer(self, usage: Usage) -> int:
        """Rate times tokens of an answer."""
        if not usage.reasoning_tokens:
            return usage.completion_tokens * self.output
        thought = min(usage.reasoning_tokens, usage.completion_tokens)
        return (usage.completion_tokens - thought) * self.output + thought * self.reasoning

    def at_most(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Rate times tokens, all of the dearest kinds."""
        return prompt_tokens * self._dearest_prompt + completion_tokens * self._dearest_answer


class Price(msgspec.Struct, frozen=True):
    """The rates of one model. `tiers` are (tokens, rates), ascending: prompts longer than that cost those rates, the
    whole call at once. `factors` are the millionths that a `service_tier` costs, one without is plain. `version` says
    which catalogue it is from."""

    rates: Rates
    tiers: tuple[tuple[int, Rates], ...] = ()
    factors: Mapping[str, int] = {}
    version: str = ""
    _plain: int = MILLION
    _dearest: int = MILLION

    def __post_init__(self) -> None:
        plain = max(self.factors.get(name, MILLION) for name in _PLAIN)
        msgspec.structs.force_setattr(self, "_plain", plain)
        msgspec.structs.force_setattr(self, "_dearest", max(plain, *self.factors.values()) if self.factors else plain)

    @classmethod
    def of(cls, facts: ModelFacts, version: str) -> Price | None:
        """The price in a row of the catalogue; None where there is none."""
        rates = Rates.of(facts)
        if rates is None:
            return None
        tiers = ((tier.above_tokens, found) for tier in facts.tiers if (found := Rates.of(tier)) is not None)
        factors = {name: round(factor * MILLION) for name, factor in facts.service_factors.items()}
        return cls(rates, tuple(sorted(tiers, key=lambda tier: tier[0])), factors, version)

    def cost(self, usage: Usage, service_tier: str | None = None) -> CostBreakdown:
        """What these tokens cost, exactly, rounded once, half up; at most `DEAREST`."""
        total = self.total(usage, service_tier)
        prompt = self._rates(usage.prompt_tokens).prompt(usage) * self._factor(service_tier)
        first = min(total, _rounded(prompt, _UNITS))
        return CostBreakdown(first, total - first)

    def total(self, usage: Usage, service_tier: str | None = None) -> int:
        """The sum of `cost`, in nano-dollars, at most `DEAREST`."""
        rates = self._rates(usage.prompt_tokens) if self.tiers else self.rates
        units = rates.prompt(usage) + rates.answer(usage)
        factor = self._factor(service_tier)
        # The same in smaller numbers, but for a tier with a price of its own.
        total = _rounded(units, MILLION) if factor == MILLION else _rounded(units * factor, _UNITS)
        return total if total < DEAREST else DEAREST

    def at_most(self, prompt_tokens: int, completion_tokens: int, service_tier: str | None = None) -> int:
        """The most that so many tokens can cost, in nano-dollars, whichever kinds they are and whichever tier serves a
        request that names this one; at most `DEAREST`."""
        dearest = self.rates.at_most(prompt_tokens, completion_tokens)
        for above, rates in self.tiers:
            if prompt_tokens > above:
                dearest = max(dearest, rates.at_most(prompt_tokens, completion_tokens))
        factor = self._dearest_factor(service_tier)
        total = -(-dearest // MILLION) if factor == MILLION else -(-dearest * factor // _UNITS)
        return total if total < DEAREST else DEAREST

    def _dearest_factor(self, service_tier: str | None) -> int:
        """Of the tiers that may serve a request: the plain one instead of any that it names, and every one where it
        leaves the choice to the provider."""
        if service_tier in _PLAIN:
            return self._plain
        named = self.factors.get(service_tier) if service_tier is not None else None
        return self._dearest if named is None else max(self._plain, named)

    def _factor(self, service_tier: str | None) -> int:
        return MILLION if service_tier is None else self.factors.get(service_tier, MILLION)

    def _rates(self, prompt_tokens: int) -> Rates:
        rates = self.rates
        for above, dearer in self.tiers:
            if prompt_tokens > above:
                rates = dearer
        return rates


FREE = Price(Rates(0, 0, 0, 0, 0, 0), version="free")
"""What runs on the operator's own machine costs nothing per token."""


def _given(value: T | None, default: T) -> T:
    return default if value is None else value


def _rounded(units: int, of: int) -> int:
    return (2 * units + of) // (2 * of)
