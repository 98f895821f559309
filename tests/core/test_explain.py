"""A dry run tells what stages decide and touches nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext
from typing import Any

import pytest

from sentinel_core.config import settings_from
from sentinel_core.context import Context
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.errors import Refusal
from sentinel_core.events import Event, TextDelta
from sentinel_core.explain import Explanation, StageDecision, explain
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.keys import CANDIDATES, PLAN, Key
from sentinel_core.registry import Registry
from sentinel_core.reply import EventStream
from sentinel_core.services import Services
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.state import Window

SEEN: Key[int] = Key("seen")
BODY = json.dumps({"model": "best", "messages": [{"role": "user", "content": "hi"}]}).encode()
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
IMAGE = json.dumps({"model": "best", "messages": [{"role": "user", "content": [PICTURE]}]}).encode()
CLOSED: list[str] = []
TABLES: Mapping[str, TomlValue] = {
    "providers": {name: {"kind": "echo"} for name in ("a", "b", "c")},
    "models": [{"name": "best", "targets": [{"provider": name} for name in ("a", "b", "c")]}],
}


class Counts(Stage):
    name = "counts"

    def __init__(self, config: StageConfig, services: Services) -> None:
        super().__init__(config)
        self._state = services.state

    @classmethod
    def open(cls, config: StageConfig, services: Services) -> Any:  # a context manager, made below
        return nullcontext(cls(config, services))

    @hookimpl
    async def on_request(self, ctx: Context) -> None:
        admission = await self._state.admit(ctx.id, [Window("tenant:requests", limit=1, period_s=60)])
        ctx[SEEN] = await self._state.increment("tenant:seen", ttl_s=60)
        if not admission.admitted:
            raise Refusal("rate_limit_exceeded")


class Files(Stage):
    """Would open a file, where it may."""

    name = "files"

    def __init__(self, config: StageConfig, made: str) -> None:
        super().__init__(config)
        self._made = made

    @classmethod
    def open(cls, config: StageConfig, services: Services) -> Any:  # a context manager, made below
        return nullcontext(cls(config, "none" if services.dry_run else "one"))

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        raise Refusal("content_policy_violation", f"Files made: {self._made}.")


class Narrows(Stage):
    name = "narrows"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx[CANDIDATES] = ctx[CANDIDATES][:2]


class Plans(Stage):
    name = "plans"
    after = ("narrows",)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx[PLAN] = ctx[CANDIDATES][::-1]


class Denies(Stage):
    name = "denies"
    guard = True
    after = ("counts",)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        raise Refusal("content_policy_violation")

    @hookimpl
    def on_finish(self, ctx: Context) -> None:
        raise AssertionError("a dry run finishes nothing")


class Breaks(Stage):
    name = "breaks"
    before = ("plans",)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx[SEEN] = 1
        raise RuntimeError("boom")


class Wrong(Stage):
    name = "wrong"

    @hookimpl
    def on_request(self, ctx: Context) -> str:
        return "secret"


class Answers(Stage):
    name = "answers"

    @hookimpl
    def on_request(self, ctx: Context) -> EventStream:
        async def events() -> AsyncIterator[Event]:
            yield TextDelta(text="here")

        async def close() -> None:
            CLOSED.append(ctx.id)

        return EventStream(events(), close, dialect=ANTHROPIC_MESSAGES)


class Reads(Stage):
    name = "reads"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx[SEEN] = 1


class Remembers(Stage):
    name = "remembers"
    before = ("reads",)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx.request = ctx.request.with_fields(messages=[{"role": "user", "content": [PICTURE]}])


async def dry(*stages: type[Stage], body: bytes = BODY, **tables: Mapping[str, TomlValue]) -> Explanation:
    registry = Registry()
    for stage in stages:
        registry.register(stage)
    settings = settings_from({**TABLES, "stages": {stage.name: tables.get(stage.name, {}) for stage in stages}})
    return await explain(settings, body, registry=registry)


async def test_without_a_plan_only_the_first_candidate_is_tried() -> None:
    explanation = await dry()
    assert explanation.outcome == "would be sent to a/best"
    assert [(row.order, row.provider) for row in explanation.targets] == [(1, "a"), (None, "b"), (None, "c")]


async def test_targets_say_who_ordered_and_who_removed_them() -> None:
    explanation = await dry(Narrows, Plans)
    assert explanation.outcome == "would be sent to b/best, then a/best"
    assert [(row.order, row.provider, row.reason) for row in explanation.targets] == [
        (1, "b", "planned by plans"),
        (2, "a", "planned by plans"),
        (None, "c", "removed by narrows"),
    ]


async def test_a_refusal_ends_the_way_and_the_rest_is_not_evaluated() -> None:
    explanation = await dry(Counts, Denies)
    assert explanation.outcome.startswith("denies refuses: 400 content_policy_violation")
    assert explanation.targets == ()
    assert [(row.stage, row.phase, row.decision) for row in explanation.stages] == [
        ("counts", "on_request", "passes"),
        ("denies", "on_request", "refuses"),
        ("denies", "on_finish", "not_evaluated"),
    ]


async def test_state_is_counted_and_thrown_away() -> None:
    for _ in range(2):  # a limit of one request, and both dry runs pass
        first = (await dry(Counts)).stages[0]
        assert first == StageDecision("counts", "on_request", "passes", "", ("seen",))


async def test_a_stage_is_told_that_nothing_may_come_of_it() -> None:
    assert (await dry(Files)).outcome.endswith("Files made: none.")


async def test_a_stage_that_only_monitors_changes_nothing() -> None:
    explanation = await dry(Denies, denies={"mode": "monitor"})
    assert explanation.outcome == "would be sent to a/best"
    assert explanation.stages[0].decision == "refuses"
    assert explanation.stages[0].detail.endswith("monitor: goes on")


@pytest.mark.parametrize(("on_fault", "goes_on"), [("open", True), ("closed", False)])
@pytest.mark.parametrize(
    ("stage", "told", "kept"),
    [
        (Breaks, "RuntimeError", "boom"),
        (Wrong, "on_request must return None, an Answer or an EventStream, got str", "secret"),
    ],
    ids=["raises", "no reply"],
)
async def test_a_fault_follows_its_policy_and_quotes_nothing(
    stage: type[Stage], told: str, kept: str, on_fault: str, goes_on: bool
) -> None:
    tables: TomlTable = {stage.name: {"on_fault": on_fault}}
    explanation = await dry(stage, **tables)
    assert explanation.outcome.startswith("would be sent") is goes_on
    assert explanation.stages[0].decision == "faults"
    assert told in explanation.stages[0].detail
    assert kept not in repr(explanation)


async def test_a_reply_in_another_dialect_answers_and_its_stream_is_closed() -> None:
    CLOSED.clear()
    explanation = await dry(Answers)
    assert explanation.outcome == "answers answers: in place of the upstream"
    assert CLOSED == ["dry-run"]


@pytest.mark.parametrize(
    ("table", "decision"),
    [
        ({"unscannable": "block"}, "refuses"),
        ({"unscannable": "allow"}, "passes"),
        ({"unscannable": "block", "mode": "monitor"}, "passes"),
    ],
)
async def test_an_image_is_refused_where_a_guard_would_refuse_what_it_cannot_read(
    table: Mapping[str, str], decision: str
) -> None:
    explanation = await dry(Reads, body=IMAGE, reads=table)
    assert explanation.stages[0].decision == decision
    assert explanation.outcome.startswith("would be sent") is (decision == "passes")


async def test_an_image_that_a_stage_put_in_is_refused_as_well() -> None:
    explanation = await dry(Remembers, Reads, reads={"unscannable": "block"})
    assert [row.decision for row in explanation.stages] == ["passes", "refuses"]


async def test_an_unknown_model_has_no_target() -> None:
    settings = settings_from({"providers": {"echo": {}}})
    explanation = await explain(settings, BODY)
    assert "model_not_found" in explanation.outcome
    assert explanation.targets == ()


async def test_what_is_no_request_is_refused() -> None:
    with pytest.raises(Refusal):
        await explain(settings_from(TABLES), b"[]")
