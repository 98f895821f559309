"""What a call cost that nobody counted, and how costs are written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.attempt import Attempt
from sentinel_core.costs import COSTS, COUNTED_CHARS, AttemptCost, dollars, known_costs, priced, total_nanousd
from sentinel_core.keys import SERVED_BY, Target
from sentinel_core.limits import NANO
from sentinel_core.model_facts import ModelFacts
from sentinel_core.prices import Prices
from sentinel_core.testing import completion, context
from sentinel_core.tokens import Count, RoughTokens
from sentinel_core.usage import Usage
from sentinel_plugins.catalogue.catalogue import FileCatalogue


class Noting(RoughTokens):
    """Notes how much it is asked to count."""

    def __init__(self) -> None:
        self.chars: list[int] = []

    async def text(self, text: str, model: str) -> Count:
        self.chars.append(len(text))
        return await super().text(text, model)


async def test_of_a_huge_answer_the_beginning_is_counted_and_the_rest_in_proportion() -> None:
    ctx, tokens = context(), Noting()
    ctx.attempts.append(Attempt(1, Target("fake", "fake"), 0.0, "completed", taken=True))
    answer = msgspec.structs.replace(completion("abcd" * COUNTED_CHARS), usage=None)
    (cost,) = await priced(ctx, answer, Prices(FileCatalogue(date(2026, 11, 21), ()), {}), tokens)
    assert cost.usage.completion_tokens == COUNTED_CHARS
    assert cost.provenance == "estimated"
    assert tokens.chars == [COUNTED_CHARS]


@given(st.integers(0, 10**16) | st.integers(0, 10**7).map(lambda usd: usd * NANO))
def test_dollars_are_exact_and_no_longer_than_they_must_be(nanousd: int) -> None:
    said = dollars(nanousd)
    assert Decimal(said) * NANO == nanousd
    assert "." not in said or not said.endswith(("0", "."))


@pytest.mark.parametrize(
    ("nanousd", "total"),
    [([], 0), ([7], 7), ([None], None), ([0, 7], 7), ([0, None], None), ([1_000, None], None)],
)
def test_what_is_known_of_some_calls_is_not_what_all_cost(nanousd: list[int | None], total: int | None) -> None:
    target = Target("fake", "fake")
    costs = [AttemptCost(number, target, Usage(), "reported", cost) for number, cost in enumerate(nanousd, start=1)]
    assert total_nanousd(costs) == total


@pytest.mark.parametrize(
    ("asked", "said", "nanousd"),
    [
        ("flex", None, 500),
        ("flex", "default", 1_000),
        ("flex", "flex", 500),
        (None, "priority", 2_000),
        ("auto", "priority", 2_000),
        ("priority", "standard", 1_000),
        ("priority", "scale", 1_000),
        (None, None, 1_000),
    ],
)
async def test_the_tier_that_served_a_call_is_what_it_costs(asked: str | None, said: str | None, nanousd: int) -> None:
    row = ModelFacts(
        id="fake", provider="fake", input_usd=1.0, output_usd=1.0, service_factors={"flex": 0.5, "priority": 2.0}
    )
    ctx = context(service_tier=asked)
    usage = Usage(1, 0, 1, service_tier=said)
    ctx.attempts.append(Attempt(1, Target("fake", "fake"), 0.0, "completed", usage=usage, taken=True))
    (cost,) = known_costs(ctx, Prices(FileCatalogue(date(2026, 11, 21), (row,)), {})) or ()
    assert cost.nanousd == nanousd


@pytest.mark.parametrize("served_by", [None, "first", "second"])
async def test_of_two_answers_that_came_together_the_one_that_is_taken_is_counted(served_by: str | None) -> None:
    ctx = context()
    for number, model in enumerate(("first", "second"), start=1):
        ctx.attempts.append(Attempt(number, Target("fake", model), 0.0, "completed"))
    if served_by is not None:
        ctx[SERVED_BY] = Target("fake", served_by)
    answer = msgspec.structs.replace(completion("abcd" * 10), usage=None)
    await priced(ctx, answer, Prices(FileCatalogue(date(2026, 11, 21), ()), {}), RoughTokens())
    counted = {cost.target.model: (cost.provenance, cost.usage.completion_tokens) for cost in ctx[COSTS]}
    won = served_by or "first"
    assert counted.pop(won) == ("estimated", 10)
    assert [*counted.values()] == [("unknown", 0)]
