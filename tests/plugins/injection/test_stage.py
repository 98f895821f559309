"""What becomes of a request that looks like an attempt, whatever the text stands in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from hashlib import sha256
from typing import Any, ClassVar

import pytest

from sentinel_core.chain import Tracker
from sentinel_core.context import Context
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import Refusal, StageFault
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.keys import INJECTION_SCORE, PRINCIPAL, Principal, Verdict
from sentinel_core.services import Services
from sentinel_core.testing import Driven, FakeProvider, StageConformance, chain_of, context, fake_services, opened, run
from sentinel_core.testing.harness import encoded
from sentinel_plugins.injection.scorer import Score, Scorer
from sentinel_plugins.injection.stage import ON_LOOP_CHARS, PREFERENCE, Injection
from tests.plugins.injection.disguises import ATTACK, BENIGN

FILLER = "The committee met on Tuesday and discussed the budget for the coming year. "
BLOCKING = {"action": "block"}


class TestInjectionConformance(StageConformance):
    stage = Injection
    config = BLOCKING
    minimum: ClassVar[TomlTable] = {}
    prompts = (BENIGN, ATTACK)
    replies = (BENIGN, ATTACK)


async def asked(
    ctx: Context,
    config: TomlTable | None = None,
    *,
    services: Services | None = None,
    **principal: Any,  # fields of a Principal
) -> Driven:
    """One request through the stage alone; `principal` holds fields of who asks."""
    if principal:
        ctx[PRINCIPAL] = Principal("acme", "k1", **principal)
    provider, tracker = FakeProvider(("Hello",)), Tracker()
    async with opened(Injection, config, services) as live:
        driven = await run(chain_of([live], provider, tracker), ctx)
        await tracker.drained()
    driven.sent = provider.calls
    return driven


def verdict(driven: Driven) -> Verdict:
    assert driven.outcome is not None
    (only,) = driven.outcome.verdicts
    return only


def request(dialect: Dialect, body: JsonObject) -> Context:
    ctx = context()
    ctx.request = dialect.decode_request({"model": "m", **body})
    return ctx


@pytest.mark.parametrize("stream", [False, True])
async def test_by_default_an_attempt_is_flagged_and_passes_as_it_is(stream: bool) -> None:
    ctx = context(ATTACK, stream=stream)
    driven = await asked(ctx)
    assert driven.text == "Hello"
    assert verdict(driven).result == "monitored"
    assert driven.sent[0].request.body["messages"][0]["content"] == ATTACK
    assert ctx[INJECTION_SCORE] >= 0.5


@pytest.mark.parametrize("stream", [False, True])
async def test_s4_23_a_blocked_attempt_never_reaches_the_upstream(stream: bool) -> None:
    driven = await asked(context(ATTACK, stream=stream), BLOCKING)
    assert isinstance(driven.error, Refusal)
    assert (driven.error.code, driven.error.status) == ("content_policy_violation", 400)
    assert driven.sent == []
    assert verdict(driven).result == "blocked"


async def test_a_benign_request_is_allowed_and_has_a_score() -> None:
    ctx = context(BENIGN)
    driven = await asked(ctx, BLOCKING)
    assert verdict(driven).result == "allowed"
    assert 0 <= ctx[INJECTION_SCORE] < 0.5


async def test_the_score_is_not_in_the_reply() -> None:
    ctx = context(ATTACK)
    driven = await asked(ctx)
    blocked = await asked(context(ATTACK), BLOCKING)
    score = f"{ctx[INJECTION_SCORE]:.2f}"
    assert blocked.error is not None
    assert score not in encoded(driven).decode() + blocked.error.message + str(blocked.error.details)
    assert not [name for name in ctx.headers if "injection" in name]


async def test_monitoring_refuses_nothing_and_leaves_the_score_for_the_audit() -> None:
    ctx = context(ATTACK)
    driven = await asked(ctx, {**BLOCKING, "mode": "monitor"})
    assert driven.text == "Hello"
    assert (verdict(driven).result, verdict(driven).enforcing) == ("monitored", False)
    assert ctx[INJECTION_SCORE] >= 0.5


async def test_monitoring_a_benign_request_is_allowed() -> None:
    ctx = context(BENIGN)
    assert verdict(await asked(ctx, {"mode": "monitor"})).result == "allowed"
    assert ctx[INJECTION_SCORE] < 0.5


async def test_nothing_is_left_of_requests_that_were_monitored() -> None:
    provider, tracker = FakeProvider(("Hello",)), Tracker()
    async with opened(Injection, {"mode": "monitor"}) as live:
        await run(chain_of([live], provider, tracker), context(ATTACK))
        await tracker.drained()
        assert vars(live[0])["_watched"] == {}


def parted(words: Sequence[str], kind: str = "text") -> list[dict[str, str]]:
    return [{"type": kind, "text": word} for word in words]


PLACES: dict[str, tuple[Dialect, Callable[[str], JsonObject]]] = {
    "user text": (OPENAI_CHAT, lambda text: {"messages": [{"role": "user", "content": text}]}),
    "turn before": (
        OPENAI_CHAT,
        lambda text: {
            "messages": [
                {"role": "user", "content": text},
                {"role": "assistant", "content": "Well."},
                {"role": "user", "content": BENIGN},
            ]
        },
    ),
    "content part": (
        OPENAI_CHAT,
        lambda text: {"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]},
    ),
    "split over parts": (
        OPENAI_CHAT,
        lambda text: {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": text[at : at + 4]} for at in range(0, len(text), 4)],
                }
            ]
        },
    ),
    "a word a part": (
        OPENAI_CHAT,
        lambda text: {"messages": [{"role": "user", "content": parted(text.split())}]},
    ),
    "a word a part, some with their space": (
        OPENAI_CHAT,
        lambda text: {"messages": [{"role": "user", "content": parted(text.replace(" ", "  ", 2).split(" "))}]},
    ),
    "a word a message": (
        OPENAI_CHAT,
        lambda text: {"messages": [{"role": "user", "content": word} for word in text.split()]},
    ),
    "anthropic, a word a part": (
        ANTHROPIC_MESSAGES,
        lambda text: {"max_tokens": 9, "messages": [{"role": "user", "content": parted(text.split())}]},
    ),
    "anthropic tool result, a word a part": (
        ANTHROPIC_MESSAGES,
        lambda text: {
            "max_tokens": 9,
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "t", "content": parted(text.split())}],
                }
            ],
        },
    ),
    "responses, a word a part": (
        OPENAI_RESPONSES,
        lambda text: {"input": [{"role": "user", "content": parted(text.split(), "input_text")}]},
    ),
    "tool result": (
        OPENAI_CHAT,
        lambda text: {"messages": [{"role": "tool", "tool_call_id": "c1", "content": f'{{"result": "{text}"}}'}]},
    ),
    "function arguments": (
        OPENAI_CHAT,
        lambda text: {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": f'{{"q": "{text}"}}'}}
                    ],
                }
            ]
        },
    ),
    "name": (OPENAI_CHAT, lambda text: {"messages": [{"role": "user", "name": text, "content": "Hi"}]}),
    "file name": (
        OPENAI_CHAT,
        lambda text: {"messages": [{"role": "user", "content": [{"type": "file", "file": {"filename": text}}]}]},
    ),
    "unknown field": (OPENAI_CHAT, lambda text: {"messages": [{"role": "user", "content": "Hi"}], "x": {"y": [text]}}),
    "unknown key": (OPENAI_CHAT, lambda text: {"messages": [{"role": "user", "content": "Hi"}], "x": {text: 1}}),
    "content blocks": (
        OPENAI_CHAT,
        lambda text: {"messages": [{"role": "user", "content": "Hi", "content_blocks": [{"text": text}]}]},
    ),
    "legacy prompt": (OPENAI_COMPLETIONS, lambda text: {"prompt": text}),
    "responses input": (OPENAI_RESPONSES, lambda text: {"input": text}),
    "responses function output": (
        OPENAI_RESPONSES,
        lambda text: {"input": [{"type": "function_call_output", "call_id": "c", "output": text}]},
    ),
    "anthropic text": (
        ANTHROPIC_MESSAGES,
        lambda text: {"max_tokens": 9, "messages": [{"role": "user", "content": text}]},
    ),
    "anthropic tool result": (
        ANTHROPIC_MESSAGES,
        lambda text: {
            "max_tokens": 9,
            "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": text}]}],
        },
    ),
    "anthropic document": (
        ANTHROPIC_MESSAGES,
        lambda text: {
            "max_tokens": 9,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}}
                    ],
                }
            ],
        },
    ),
}


@pytest.mark.parametrize("place", PLACES)
async def test_h46_an_attempt_is_found_wherever_it_stands(place: str) -> None:
    dialect, body = PLACES[place]
    assert (await asked(request(dialect, body(ATTACK)), BLOCKING)).sent == []
    benign = request(dialect, body(BENIGN))
    allowed = "partial" if benign.request.unreadable else "allowed"  # a file's name is read, the file is not
    assert verdict(await asked(benign, BLOCKING)).result == allowed


SYSTEM: dict[str, Callable[[str], JsonObject]] = {
    "system": lambda text: {"messages": [{"role": "system", "content": text}, {"role": "user", "content": BENIGN}]},
    "developer": lambda text: {"messages": [{"role": "developer", "content": text}]},
    "tool description": lambda text: {
        "messages": [{"role": "user", "content": BENIGN}],
        "tools": [{"type": "function", "function": {"name": "f", "description": text}}],
    },
}


@pytest.mark.parametrize("place", SYSTEM)
async def test_h46_a_system_text_is_flagged_at_most_and_has_no_part_in_the_score(place: str) -> None:
    ctx = request(OPENAI_CHAT, SYSTEM[place](ATTACK))
    driven = await asked(ctx, {**BLOCKING, "system_threshold": 0.5})
    assert len(driven.sent) == 1
    assert verdict(driven).result == "monitored"
    assert ctx[INJECTION_SCORE] < 0.5


def schema(text: str) -> JsonObject:
    return {"type": "json_schema", "name": "x", "schema": {"type": "object", "description": text}}


FORMATS: dict[str, tuple[Dialect, Callable[[str], JsonObject]]] = {
    "chat": (
        OPENAI_CHAT,
        lambda text: {"response_format": {"type": "json_schema", "json_schema": schema(text)}},
    ),
    "messages": (ANTHROPIC_MESSAGES, lambda text: {"max_tokens": 9, "output_config": {"format": schema(text)}}),
    "messages before": (ANTHROPIC_MESSAGES, lambda text: {"max_tokens": 9, "output_format": schema(text)}),
    "responses": (OPENAI_RESPONSES, lambda text: {"input": BENIGN, "text": {"format": schema(text)}}),
}


@pytest.mark.parametrize("place", FORMATS)
async def test_h46_a_description_of_the_answers_form_is_a_system_text(place: str) -> None:
    dialect, fields = FORMATS[place]
    messages = {} if dialect is OPENAI_RESPONSES else {"messages": [{"role": "user", "content": BENIGN}]}
    driven = await asked(request(dialect, {**messages, **fields(ATTACK)}), BLOCKING)
    assert (len(driven.sent), verdict(driven).result) == (1, "monitored")


async def test_a_system_text_is_blocked_where_that_is_asked_for() -> None:
    config = {"system_action": "block", "system_threshold": 0.5}
    assert (await asked(request(OPENAI_CHAT, SYSTEM["system"](ATTACK)), config)).sent == []


@pytest.mark.parametrize(
    "config", [{"system_action": "ignore"}, {"trusted_system": [sha256(ATTACK.encode()).hexdigest()]}]
)
async def test_a_system_text_that_is_trusted_is_not_scored(config: TomlTable) -> None:
    ctx = request(OPENAI_CHAT, SYSTEM["system"](ATTACK))
    assert verdict(await asked(ctx, {**config, "system_threshold": 0.5})).result == "allowed"


@pytest.mark.parametrize("dialect", [OPENAI_CHAT, ANTHROPIC_MESSAGES])
async def test_a_system_prompt_of_trusted_parts_is_trusted(dialect: Dialect) -> None:
    other = f"Now this. {ATTACK}"
    trusted = [sha256(text.encode()).hexdigest() for text in (ATTACK, other)]
    config = {"trusted_system": trusted, "system_action": "block", "system_threshold": 0.5}

    def said(*texts: str) -> Context:
        parts = [{"type": "text", "text": text} for text in texts]
        messages: list[JsonObject] = [{"role": "user", "content": BENIGN}]
        if dialect is OPENAI_CHAT:
            return request(dialect, {"messages": [{"role": "system", "content": parts}, *messages]})
        return request(dialect, {"max_tokens": 9, "system": parts, "messages": messages})

    assert verdict(await asked(said(ATTACK, other), config)).result == "allowed"
    assert verdict(await asked(said(ATTACK, other, ATTACK[:20], ATTACK[20:]), config)).result == "blocked"


async def test_a_trusted_system_text_is_not_trusted_from_a_user() -> None:
    config = {**BLOCKING, "trusted_system": [sha256(ATTACK.encode()).hexdigest()]}
    assert (await asked(context(ATTACK), config)).sent == []


async def test_the_threshold_decides() -> None:
    ctx = context(ATTACK)
    await asked(ctx)
    score = ctx[INJECTION_SCORE]
    assert (await asked(context(ATTACK), {**BLOCKING, "threshold": score})).sent == []
    assert score < 1
    assert verdict(await asked(context(ATTACK), {**BLOCKING, "threshold": 1.0})).result == "allowed"


async def test_s2_39_a_tenants_own_threshold_takes_the_place_of_the_configured_one() -> None:
    strict, lax = {PREFERENCE: 1e-9}, {PREFERENCE: 1}
    assert (await asked(context(BENIGN), BLOCKING, preferences=strict)).sent == []
    assert len((await asked(context(ATTACK), BLOCKING, preferences=lax)).sent) == 1


@pytest.mark.parametrize("value", ["0.9", 0, -1, 1.5, True, None, [0.5], float("nan")])
async def test_a_preference_that_is_no_threshold_changes_nothing(value: object) -> None:
    driven = await asked(context(ATTACK), BLOCKING, preferences={PREFERENCE: value})
    assert driven.sent == []


async def test_the_log_names_place_and_score_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await asked(context(ATTACK))
    await asked(context(ATTACK), BLOCKING)
    await asked(context(f"{FILLER * 200} {ATTACK}"), BLOCKING)
    lines = [record.getMessage() for record in caplog.records if record.name == "sentinel.injection"]
    assert len(lines) == 3
    assert all("user, content" in line for line in lines)
    words = {word for word in f"{ATTACK} {FILLER}".lower().split() if len(word) > 5}
    assert not [word for word in words if word in caplog.text.lower()]


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
async def test_the_log_names_a_role_that_is_one(role: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    messages = [{"role": role, "content": ATTACK}]
    await asked(context(messages=messages), {"system_action": "flag"})
    assert f"({role}, content" in caplog.text


async def test_the_log_repeats_no_role_that_a_caller_made_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for role in ("user (key sk-acme, mail bob@acme.com)", "user\nrequest 2: forged", "User", "no role"):
        await asked(context(messages=[{"role": role, "content": ATTACK}]))
    lines = [record.getMessage() for record in caplog.records if record.name == "sentinel.injection"]
    assert len(lines) == 4
    assert all("(other role, content" in line for line in lines)
    assert not [word for word in ("acme", "forged") if word in caplog.text]


class Threads(Executor):
    """An executor that notes on which thread it worked."""

    def __init__(self, inner: Executor) -> None:
        self.inner = inner
        self.submitted = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:  # as Executor declares it
        self.submitted += 1
        return self.inner.submit(fn, *args, **kwargs)


class Probe(Scorer):
    """A scorer that notes who asked it."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def score(self, text: str) -> Score:
        self.threads.append(threading.get_ident())
        if "broken" in text:
            raise RuntimeError(text)
        return Score(0.0)


async def probed(*texts: str, executor: Executor, config: TomlTable | None = None) -> tuple[Probe, Driven]:
    """The requests one after the other through one stage whose scorer is a probe; the last one's end."""
    probe, tracker = Probe(), Tracker()
    settings = Injection.Config(**(config or {}))
    async with fake_services() as services:
        stage = Injection(settings, probe, executor, services.counts)
        for text in texts:
            driven = await run(chain_of([(stage, settings)], FakeProvider(("Hello",)), tracker), context(text))
        await tracker.drained()
    return probe, driven


async def test_more_than_8_kb_of_new_text_is_scored_off_the_loop() -> None:
    here = threading.get_ident()
    with ThreadPoolExecutor(1) as pool:
        small, _ = await probed("x" * ON_LOOP_CHARS, executor=pool)
        assert small.threads == [here]
        large, driven = await probed("x" * (ON_LOOP_CHARS + 1), executor=pool)
    assert here not in large.threads
    assert len(large.threads) == 1
    assert driven.text == "Hello"


async def test_a_growing_conversation_is_scored_once() -> None:
    with ThreadPoolExecutor(1) as pool:
        probe, _ = await probed(BENIGN, BENIGN, ATTACK, BENIGN, executor=pool)
    assert len(probe.threads) == 2


async def test_no_more_scores_are_kept_than_configured() -> None:
    with ThreadPoolExecutor(1) as pool:
        probe, _ = await probed(BENIGN, ATTACK, BENIGN, executor=pool, config={"cache_entries": 1})
    assert len(probe.threads) == 3


@pytest.mark.parametrize("length", [100, ON_LOOP_CHARS + 1])
async def test_a_scorer_that_breaks_is_no_success(length: int, caplog: pytest.LogCaptureFixture) -> None:
    text = "broken " + "x" * length
    with ThreadPoolExecutor(1) as pool:
        _, closed = await probed(text, executor=pool)
        _, opened_ = await probed(text, executor=pool, config={"on_fault": "open"})
    assert isinstance(closed.error, StageFault)
    assert closed.error.code == "guard_unavailable"
    assert opened_.text == "Hello"
    assert verdict(closed).result == verdict(opened_).result == "error"
    assert "broken x" not in caplog.text


async def test_what_takes_too_long_is_a_fault() -> None:
    release = threading.Event()

    class Slow(Probe):
        def score(self, text: str) -> Score:
            release.wait(30)
            return Score(0.0)

    tracker = Tracker()
    settings = Injection.Config(timeout_s=0.02)
    with ThreadPoolExecutor(1) as pool:
        async with fake_services() as services:
            stage = Injection(settings, Slow(), pool, services.counts)
            chain = chain_of([(stage, settings)], FakeProvider(("Hello",)), tracker)
            driven = await run(chain, context("x" * (ON_LOOP_CHARS + 1)))
            release.set()
            await tracker.drained()
    assert isinstance(driven.error, StageFault)
    assert verdict(driven).result == "error"


async def test_findings_are_counted() -> None:
    async with fake_services() as services:
        await asked(context(ATTACK), services=services)
        await asked(context(ATTACK), BLOCKING, services=services)
        await asked(context(BENIGN), services=services)
        counted = {family.name: dict(family.read()) for family in services.counts}
    assert counted["injections"] == {("flag",): 1, ("block",): 1}


@pytest.mark.parametrize(
    ("config", "action"),
    [
        ({}, "flag"),
        ({"action": "block"}, "block"),
        ({"system_action": "block"}, "block"),
        ({"action": "block", "mode": "monitor"}, "monitored"),
    ],
    ids=["flagged", "blocked", "blocked for its system prompt", "watched"],
)
async def test_a_request_is_counted_once_by_what_became_of_it(config: TomlTable, action: str) -> None:
    messages = [{"role": role, "content": ATTACK} for role in ("system", "user")]
    async with fake_services() as services:
        await asked(context(messages=messages), {**config, "system_threshold": 0.5}, services=services)
        counted = {family.name: dict(family.read()) for family in services.counts}
    assert counted["injections"] == {(action,): 1}
