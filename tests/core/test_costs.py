"""What a call cost that nobody counted."""

from __future__ import annotations

from datetime import date

import msgspec

from sentinel_core.attempt import Attempt
from sentinel_core.costs import COUNTED_CHARS, priced
from sentinel_core.keys import Target
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
