"""`pii` and `secrets` look at a text together: what one of them replaces first takes nothing from the other."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from sentinel_core.chain import Tracker
from sentinel_core.json_types import TomlTable
from sentinel_core.testing import FakeProvider, chain_of, context, fake_services, opened, run
from sentinel_plugins.pii.stage import Pii
from sentinel_plugins.secrets.stage import Secrets
from tests.plugins.guarding.guards import PII, SECRETS, Adds, guards, sent, verdicts

TEXT = "db://ann:pw@acme.com and ann@acme.com"
MERGED = "[OWN_DSN] and [OWN_MAIL]"
BOTH = {"pii": PII, "secrets": SECRETS}


@pytest.mark.parametrize("order", [("pii", "secrets"), ("secrets", "pii")])
async def test_a_secret_that_holds_an_address_is_one_value_of_the_secrets_guard(order: tuple[str, ...]) -> None:
    """After PII, a connection string is no longer recognisable."""
    async with guards(FakeProvider((TEXT,)), **{name: BOTH[name] for name in order}) as chain:
        for stream in (False, True):
            driven = await chain.ask(TEXT, stream=stream)
            assert (sent(driven), driven.text) == (MERGED, MERGED)
            assert set(verdicts(driven).values()) == {"masked"}


async def test_alone_each_replaces_its_own() -> None:
    async with guards(FakeProvider(), pii=PII) as chain:
        assert sent(await chain.ask(TEXT)) == "db://ann:[OWN_MAIL] and [OWN_MAIL]"


async def test_what_a_monitoring_guard_finds_is_recorded_and_not_merged() -> None:
    async with guards(FakeProvider((TEXT,)), pii=PII, secrets={**SECRETS, "mode": "monitor"}) as chain:
        driven = await chain.ask(TEXT, stream=True)
        assert sent(driven) == driven.text == "db://ann:[OWN_MAIL] and [OWN_MAIL]"
        assert verdicts(driven)["secrets", "request"] == verdicts(driven)["secrets", "response"] == "monitored"
        assert chain.counted("secrets_detections")["OWN_DSN", "redact", "request"] == 1
    async with guards(FakeProvider((TEXT,)), pii={**PII, "mode": "monitor"}, secrets=SECRETS) as chain:
        driven = await chain.ask(TEXT, stream=True)
        assert sent(driven) == driven.text == "[OWN_DSN] and ann@acme.com"
        assert verdicts(driven)["pii", "request"] == verdicts(driven)["pii", "response"] == "monitored"
        assert chain.counted("pii_detections")["OWN_MAIL", "redact", "request"] == 2


async def test_of_another_direction_is_not_merged() -> None:
    async with guards(FakeProvider((TEXT,)), pii=PII, secrets={**SECRETS, "direction": "request"}) as chain:
        driven = await chain.ask(TEXT)
        assert sent(driven) == MERGED
        assert driven.text == "db://ann:[OWN_MAIL] and [OWN_MAIL]"


@pytest.mark.parametrize(
    ("pii", "secrets"),
    [({"actions": {"OWN_MAIL": "block"}}, {}), ({}, {"action": "block"})],
)
async def test_what_blocks_counts_before_everything(pii: TomlTable, secrets: TomlTable) -> None:
    async with guards(FakeProvider(), pii={**PII, **pii}, secrets={**SECRETS, **secrets}) as chain:
        driven = await chain.ask("db://ann:pw@acme.com")
        assert driven.error is not None
        assert (driven.error.code, driven.error.status, driven.sent) == ("content_policy_violation", 400, [])


async def test_the_second_guard_reads_what_the_first_one_saw() -> None:
    async with guards(FakeProvider(), pii=PII, secrets=SECRETS) as chain:
        driven = await chain.ask("sk-ant-abcd1234 is ann@acme.com's, sk-ant-abcd1234!")
        assert sent(driven) == "[OWN_KEY] is [OWN_MAIL]'s, [OWN_KEY]!"
        assert verdicts(driven)["secrets", "request"] == "masked"
        driven = await chain.ask("nothing here")
        assert verdicts(driven)["secrets", "request"] == verdicts(driven)["pii", "request"] == "allowed"


KEY = "the key is sk-ant-abcd1234"
ADDRESS = "write to ann@acme.com"


@pytest.mark.parametrize("text", [KEY, ADDRESS])
@pytest.mark.parametrize("order", [("pii", "secrets"), ("secrets", "pii")])
@pytest.mark.parametrize("watching", [("pii",), ("secrets",), ("pii", "secrets")])
async def test_a_guard_that_watches_reads_what_the_guard_before_it_found_clean(
    text: str, order: tuple[str, ...], watching: tuple[str, ...]
) -> None:
    """Nobody looked for its values: a guard that only watches is no part of what the others look for together."""
    tables = {name: {**BOTH[name], "mode": "monitor"} if name in watching else BOTH[name] for name in order}
    finder = "secrets" if text == KEY else "pii"
    for prompt, reply, direction in ((text, "nothing here", "request"), ("nothing here", text, "response")):
        for stream in (False, True):
            async with guards(FakeProvider((reply,)), **tables) as chain:
                found = verdicts(await chain.ask(prompt, stream=stream))
                assert found.pop((finder, direction)) == ("monitored" if finder in watching else "masked")
                assert set(found.values()) == {"allowed"}
                assert sum(chain.counted(f"{finder}_detections").values()) == 1


async def test_a_guard_that_watches_allows_what_held_only_the_values_of_the_guard_before_it() -> None:
    async with guards(FakeProvider(), pii=PII, secrets={**SECRETS, "mode": "monitor"}) as chain:
        driven = await chain.ask(ADDRESS)
        assert sent(driven) == "write to [OWN_MAIL]"
        assert verdicts(driven)["secrets", "request"] == "allowed"


@pytest.mark.parametrize(("text", "verdict"), [(KEY, "monitored"), ("nothing here", "allowed")])
async def test_a_guard_that_watches_reads_what_a_stage_between_wrote(text: str, verdict: str) -> None:
    ctx, tracker, provider = context(TEXT), Tracker(), FakeProvider()
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(fake_services())
        tables = ((Pii, PII), (Adds(text), None), (Secrets, {**SECRETS, "mode": "monitor"}))
        live = [await stack.enter_async_context(opened(stage, table, services)) for stage, table in tables]
        driven = await run(chain_of(live, provider, tracker), ctx)
        await tracker.drained()
    assert verdicts(driven)["secrets", "request"] == verdict
