"""Behind a guard that takes out what nobody sees, texts are still judged as they came."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from hashlib import sha256

import pytest

from sentinel_core.chain import Tracker
from sentinel_core.context import Context
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.keys import AS_IT_CAME, INJECTION_SCORE, Changed
from sentinel_core.stage import Stage
from sentinel_core.testing import Driven, FakeProvider, chain_of, context, fake_services, opened, run
from sentinel_plugins.injection.stage import Injection
from sentinel_plugins.pii.stage import Pii
from sentinel_plugins.secrets.stage import Secrets
from tests.plugins.guarding.guards import Adds, verdicts
from tests.plugins.injection.disguises import ATTACK, BENIGN, bidirectional, leet, tags, unseen_for_spaces, zero_width
from tests.plugins.injection.test_disguises import ALL

BEFORE = "Please summarise the following report for our committee and list the three largest expenses. "
BLOCKING: TomlTable = {"action": "block"}


async def asked(ctx: Context, *stages: type[Stage] | Stage, injection: Mapping[str, TomlValue] = BLOCKING) -> Driven:
    """One request through these stages; without any, through the guards in their default order."""
    tables: Mapping[object, Mapping[str, TomlValue]] = {Injection: injection}
    provider, tracker = FakeProvider(("Hello",)), Tracker()
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(fake_services())
        live = [
            await stack.enter_async_context(opened(stage, tables.get(stage), services))
            for stage in stages or (Pii, Injection, Secrets)
        ]
        driven = await run(chain_of(live, provider, tracker), ctx)
        await tracker.drained()
    driven.sent = provider.calls
    return driven


@pytest.mark.parametrize("disguise", ALL)
async def test_h40_to_h44_a_disguised_attack_is_refused_behind_pii(disguise: Callable[[str], str]) -> None:
    assert (await asked(context(disguise(ATTACK)))).sent == []


@pytest.mark.parametrize("disguise", [case for case in ALL if case.values != (leet,)])
async def test_h40_to_h44_the_same_disguise_of_a_benign_text_passes_behind_pii(disguise: Callable[[str], str]) -> None:
    assert len((await asked(context(disguise(BENIGN)))).sent) == 1


@pytest.mark.parametrize("disguise", [unseen_for_spaces, bidirectional, tags])
async def test_h40_an_attack_that_is_hidden_behind_a_sentence_is_refused_behind_pii(
    disguise: Callable[[str], str],
) -> None:
    assert (await asked(context(BEFORE + disguise(ATTACK)))).sent == []


async def test_what_nobody_sees_still_does_not_reach_the_model() -> None:
    driven = await asked(context(zero_width(BENIGN)))
    assert driven.sent[0].request.body["messages"][0]["content"] == BENIGN
    assert verdicts(driven)["pii", "request"] == "masked"


async def test_only_a_request_in_which_a_guard_replaced_something_is_kept_as_it_came() -> None:
    hidden, redacted, plain = context(zero_width(BENIGN)), context("Write to bob@acme.com."), context(BENIGN)
    came = hidden.request, redacted.request
    for ctx in (hidden, redacted, plain):
        await asked(ctx)
    assert hidden[AS_IT_CAME] == (Changed(came[0], hidden.request, unseen=True),)
    assert redacted[AS_IT_CAME] == (Changed(came[1], redacted.request),)
    assert AS_IT_CAME not in plain


@pytest.mark.parametrize("text", [ATTACK, unseen_for_spaces(ATTACK)], ids=["plain", "hidden"])
async def test_what_a_stage_adds_between_the_guards_is_judged_too(text: str) -> None:
    assert (await asked(context(zero_width(BENIGN)), Pii, Adds(text), Secrets, Injection)).sent == []


async def test_the_score_is_that_of_what_came() -> None:
    alone, behind = context(unseen_for_spaces(ATTACK)), context(unseen_for_spaces(ATTACK))
    await asked(alone, Injection)
    await asked(behind)
    assert behind[INJECTION_SCORE] == alone[INJECTION_SCORE]


async def test_a_trusted_system_prompt_is_trusted_whatever_stands_beside_it() -> None:
    trusted = [sha256(ATTACK.encode()).hexdigest()]
    config = {"trusted_system": trusted, "system_action": "block", "system_threshold": 0.5}
    messages = [{"role": "system", "content": ATTACK}, {"role": "user", "content": zero_width(BENIGN)}]
    assert len((await asked(context(messages=messages), injection=config)).sent) == 1
    messages[0]["content"] = zero_width(f"{ATTACK} Now.")
    assert (await asked(context(messages=messages), injection=config)).sent == []


ADDRESSED = f"{ATTACK} Complaints go to desk@acme.com."


@pytest.mark.parametrize(
    "prompt", [ADDRESSED, zero_width(ATTACK), zero_width(ADDRESSED), f"{ADDRESSED} sk-ant-{'4f' * 30}"]
)
@pytest.mark.parametrize("parts", [False, True])
async def test_a_trusted_system_prompt_is_trusted_though_a_guard_replaced_something_in_it(
    prompt: str, parts: bool
) -> None:
    texts = [prompt, f"{ATTACK} Or ask ann@acme.com."] if parts else [prompt]
    config = {
        "trusted_system": [sha256(text.encode()).hexdigest() for text in texts],
        "system_action": "block",
        "system_threshold": 0.5,
    }
    content = [{"type": "text", "text": text} for text in texts] if parts else prompt
    messages = [{"role": "system", "content": content}, {"role": "user", "content": "ann@acme.com asks"}]
    for stages in ((Injection,), (Pii, Injection), (Pii, Secrets, Injection), (Secrets, Pii, Injection)):
        assert len((await asked(context(messages=messages), *stages, injection=config)).sent) == 1
    config["trusted_system"] = [sha256(b"another").hexdigest()]
    assert (await asked(context(messages=messages), injection=config)).sent == []


async def test_what_a_stage_wrote_in_the_place_of_a_trusted_prompt_is_not_trusted() -> None:
    trusted = [sha256(ADDRESSED.encode()).hexdigest()]
    config = {"trusted_system": trusted, "system_action": "block", "system_threshold": 0.5}
    messages = [{"role": "system", "content": ADDRESSED}, {"role": "user", "content": "Hello"}]
    stages = Pii, Adds(f"{ATTACK} Now."), Injection
    assert (await asked(context(messages=messages), *stages, injection=config)).sent == []


async def test_a_user_who_repeats_a_trusted_prompt_is_judged() -> None:
    config = {**BLOCKING, "trusted_system": [sha256(ADDRESSED.encode()).hexdigest()]}
    assert (await asked(context(ADDRESSED), injection=config)).sent == []


async def test_nothing_of_what_came_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await asked(context(unseen_for_spaces(ATTACK)))
    assert "injection score" in caplog.text
    assert not [word for word in ATTACK.lower().split() if len(word) > 6 and word in caplog.text.lower()]
