"""U26: token counts that are missing, zero, running, or nonsense."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from sentinel_core.dialects.base import Dialect
from sentinel_core.usage import Usage
from tests.plugins.providers.faults.rig import SAID, complete, heard_of, streamed
from tests.upstream import Reply, Scenario, Upstream
from tests.upstream.api import Said
from tests.upstream.apis import Spoken, over

COUNTED = Usage(30011, 20022, 50033, 10007, 10009)
"""Numbers of five digits, as nothing else in an answer is."""
COUNTS = re.compile(rb"\b[1-9]\d{4}(?:\.0)?\b")


def said(usage: Usage | None) -> Said:
    return replace(SAID, usage=usage)


def reply(spoken: Spoken, stream: bool, usage: Usage | None, instead: bytes = b"") -> Scenario:
    """An answer with these counts, or with something else in the place of each of them."""
    if stream:
        parts = spoken.api.stream(said(usage)).whole
        return streamed(spoken, [COUNTS.sub(instead, part) if instead else part for part in parts])
    body = json.dumps(spoken.api.answer(said(usage))).encode()
    return Reply(COUNTS.sub(instead, body) if instead else body)


def expressible(spoken: Spoken, usage: Usage) -> Usage:
    """What of the counts the API has words for."""
    cached = 0 if "cached_tokens" in spoken.unsaid else usage.cached_tokens
    reasoning = 0 if "reasoning_tokens" in spoken.unsaid else usage.reasoning_tokens
    return Usage(usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, cached, reasoning)


async def test_u26_every_count_arrives_whole(spoken: Spoken, upstream: Upstream, stream: bool, client: Dialect) -> None:
    upstream.script(None, reply(spoken, stream, COUNTED))
    heard = await heard_of(spoken, upstream, stream, client)
    assert (heard.text, heard.usage) == (SAID.text, expressible(spoken, COUNTED))


async def test_u26_no_counts_are_not_zero(spoken: Spoken, upstream: Upstream, stream: bool) -> None:
    upstream.script(None, reply(spoken, stream, None))
    heard = await heard_of(spoken, upstream, stream)
    assert (heard.text, heard.error, heard.usage) == (SAID.text, None, None)


@over(lambda spoken: "zeros" not in spoken.unsaid)
async def test_u26_an_explicit_zero_stays_zero(spoken: Spoken, upstream: Upstream, stream: bool) -> None:
    upstream.script(None, reply(spoken, stream, Usage(0, 0, 0)))
    heard = await heard_of(spoken, upstream, stream)
    assert (heard.error, heard.usage) == (None, Usage(0, 0, 0))


@pytest.mark.parametrize("instead", [b"-1", b'"3"', b"9" * 4299, b"1e400", b"1.5", b"null", b"true", b"[]", b"{}"])
async def test_u26_nonsense_counts_as_nothing_and_costs_the_caller_nothing(
    spoken: Spoken, upstream: Upstream, stream: bool, instead: bytes
) -> None:
    upstream.script(None, reply(spoken, stream, COUNTED, instead))
    heard = await heard_of(spoken, upstream, stream)
    assert (heard.text, heard.error, heard.usage) == (SAID.text, None, None)


async def test_u26_a_total_that_is_no_sum_changes_nothing_else(
    spoken: Spoken, upstream: Upstream, stream: bool
) -> None:
    upstream.script(None, reply(spoken, stream, Usage(3, 2, 99)))
    heard = await heard_of(spoken, upstream, stream)
    assert heard.usage is not None
    assert (heard.usage.prompt_tokens, heard.usage.completion_tokens) == (3, 2)


@over(lambda spoken: spoken.end != "finish")
async def test_u26_of_running_counts_the_last_is_taken(spoken: Spoken, upstream: Upstream) -> None:
    first = complete(spoken, spoken.api.stream(said(Usage(3, 1, 4))))
    last = spoken.api.stream(said(Usage(3, 7, 10))).ending
    upstream.script(None, streamed(spoken, first, last))
    heard = await heard_of(spoken, upstream, True)
    assert (heard.text, heard.error, heard.usage) == (SAID.text, None, Usage(3, 7, 10))
