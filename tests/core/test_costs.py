"""What a call cost that nobody counted, and how costs are written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.attempt import Attempt
from sentinel_core.costs import COUNTED_CHARS, dollars, priced
from sentinel_core.keys import Target
from sentinel_core.limits import NANO
from sentinel_core.prices import Prices
from sentinel_core.testing import completion, context
from sentinel_core.tokens import Count, RoughTokens
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
