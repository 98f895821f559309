"""What an exchange adds to the counts, and what it never can."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.attempt import NOT_CALLED, Attempt
from sentinel_core.chain import Tracker
from sentinel_core.config import settings_from
from sentinel_core.counts import Counts
from sentinel_core.errors import UpstreamError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue
from sentinel_core.keys import Target
from sentinel_core.testing import FakeProvider, chain_of, completion, context, run
from sentinel_core.testing.fake_provider import Script
from sentinel_plugins.metrics import Metrics, MetricsConfig
from sentinel_plugins.metrics.exposition import Exposition
from tests.long_form import long_form

USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
ENDINGS: tuple[tuple[Script, str, str], ...] = (
    (completion("ok", usage=USAGE), "2xx", "completed"),
    (UpstreamError("upstream_timeout"), "5xx", "failed"),
    (UpstreamError("upstream_error", status=400), "4xx", "failed"),
    (RuntimeError("a mistake"), "5xx", "failed"),
)


async def counted(*scripts: Script, prompt: str = "Hello", **body: JsonValue) -> dict[str, dict[tuple[str, ...], int]]:
    counts, tracker = Counts(), Tracker()
    chain = chain_of([Metrics(MetricsConfig(), counts)], FakeProvider(*scripts), tracker)
    for _ in scripts:
        await run(chain, context(prompt, **body))
    await tracker.drained()
    return {family.name: dict(family.read()) for family in counts}


@pytest.mark.parametrize(("script", "status", "outcome"), ENDINGS, ids=lambda value: str(value)[:20])
async def test_every_ending_is_one_request_and_one_attempt(script: Script, status: str, outcome: str) -> None:
    found = await counted(script)
    assert found["requests"] == {("chat", status): 1}
    assert found["attempts"] == {("fake", outcome): 1}


async def test_a_call_that_was_never_made_is_not_counted() -> None:
    ctx, counts = context("Hello"), Counts()
    ctx.attempts.append(Attempt(1, Target("other", "m"), 1.0, "discarded", NOT_CALLED, 1.0))
    await run(chain_of([Metrics(MetricsConfig(), counts)], FakeProvider("ok")), ctx)
    found = {family.name: dict(family.read()) for family in counts}
    assert found["attempts"] == {("fake", "completed"): 1}
    assert {provider for provider, _ in found["tokens"]} == {"fake"}


async def test_without_a_ledger_tokens_are_those_that_providers_reported() -> None:
    found = await counted(completion("ok", usage=USAGE), completion("ok", usage=USAGE))
    assert found["tokens"] == {("fake", "prompt"): 6, ("fake", "completion"): 10}
    assert found["cost_nanousd"] == {}


@given(st.text(min_size=1), st.text(min_size=1), st.text())
async def test_l11_nothing_that_a_caller_writes_is_a_label(model: str, user: str, prompt: str) -> None:
    found = await counted(("ok",), prompt=prompt, model=model, user=user)
    labels = {value for family in found.values() for values in family for value in values}
    assert labels <= {"chat", "2xx", "4xx", "fake", "completed", "prompt", "completion"}


@long_form
async def test_l11_a_hundred_thousand_models_leave_the_exposition_as_it_was() -> None:
    """The labels of one exchange again and again: a chain is not needed to see that."""
    tables = {"stages": {"metrics": {}}, "providers": {"echo": {"models": ["echo"]}}}
    async with Gateway(settings_from(tables)) as gateway:
        for number in range(1_000):
            body = {
                "model": f"model-{number}",
                "user": f"user-{number}",
                "messages": [{"role": "user", "content": "Hi"}],
            }
            with pytest.raises(Exception, match="model"):
                await gateway.complete(body)
        text = Exposition(gateway).text()
        for family in gateway.services.counts:
            for number in range(100_000):
                family.of(*(f"value-{number}" for _ in family.labels)).value += 1
        grown = Exposition(gateway).text()
    assert b"model-" not in text
    assert b"user-" not in text
    assert len(text) < 20_000
    assert len(grown) < 1024 * 1024
