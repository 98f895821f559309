"""Keys, tokens and passwords in requests and replies."""

from __future__ import annotations

from typing import ClassVar

import pytest

from sentinel_core.errors import ConfigError
from sentinel_core.json_types import TomlTable
from sentinel_core.testing import FakeProvider, StageConformance
from sentinel_core.testing.harness import stage_config
from sentinel_plugins.secrets.stage import Secrets
from tests.plugins.guarding.guards import SECRETS, guards, sent, verdicts
from tests.plugins.guarding.samples import PRIVATE_KEY
from tests.plugins.guarding.samples import SECRETS as SAMPLES
from tests.plugins.guarding.test_private_key import block

TEXT = "use sk-ant-api03xyz or db://ann:pw@host.com"


class TestConformance(StageConformance):
    stage = Secrets
    config = SECRETS
    minimum: ClassVar[TomlTable] = {}
    prompts = ("Hello", TEXT)
    replies = ("nothing here", f"{TEXT}, please", "sk-ant-api03xyz")


class TestConformanceOfTheDefault(StageConformance):
    stage = Secrets
    prompts = ("Hello", f"use {SAMPLES['ANTHROPIC_KEY'][0]}")
    replies = ("nothing here", f"{SAMPLES['GITHUB_TOKEN'][0]} and {SAMPLES['CONNECTION_STRING'][0]} here.", PRIVATE_KEY)


async def test_redacted_in_both_directions() -> None:
    async with guards(FakeProvider(("use sk-ant-", "api03xyz")), secrets=SECRETS) as chain:
        driven = await chain.ask(TEXT, stream=True)
        assert (sent(driven), driven.text) == ("use [OWN_KEY] or [OWN_DSN]", "use [OWN_KEY]")
        assert chain.counted("secrets_detections")["OWN_KEY", "redact", "response"] == 1


async def test_nothing_of_a_key_leaves_that_is_longer_than_what_is_held_back() -> None:
    key = block(20_000)
    said = [key[at : at + 500] for at in range(0, len(key), 500)]
    async with guards(FakeProvider(("Here: ", *said, " (done)")), secrets={}) as chain:
        driven = await chain.ask(f"Mine is {key} (keep it)", stream=True)
        assert (sent(driven), driven.text) == ("Mine is [PRIVATE_KEY] (keep it)", "Here: [PRIVATE_KEY] (done)")


async def test_blocked() -> None:
    async with guards(FakeProvider(), secrets={**SECRETS, "action": "block"}) as chain:
        driven = await chain.ask(TEXT)
        assert driven.error is not None
        assert (driven.error.code, driven.sent) == ("content_policy_violation", [])


async def test_monitored() -> None:
    async with guards(FakeProvider((TEXT,)), secrets={**SECRETS, "mode": "monitor"}) as chain:
        driven = await chain.ask(TEXT, stream=True)
        assert (sent(driven), driven.text) == (TEXT, TEXT)
        assert set(verdicts(driven).values()) == {"monitored"}


def test_it_does_not_hash_or_mask() -> None:
    with pytest.raises(ConfigError, match="mask"):
        stage_config(Secrets, {"action": "mask"})
