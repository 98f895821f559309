"""What is refused, what is lowered, and where the caller is pointed to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Context
from sentinel_core.counts import Counts
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue, TomlTable, TomlValue
from sentinel_core.messages import Request
from sentinel_core.testing import StageConformance, drive
from sentinel_core.testing.harness import stage_config
from sentinel_plugins.input_limits.config import InputLimitsConfig
from sentinel_plugins.input_limits.stage import CLAMPED_HEADER, InputLimits
from tests.plugins.input_limits.bodies import DIALECTS, DOCUMENTED, LIMITS, bodies, body_of

EVERY = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)


class TestInputLimits(StageConformance):
    stage = InputLimits
    config: ClassVar[Mapping[str, TomlValue]] = LIMITS
    minimum: ClassVar[Mapping[str, TomlValue]] = {}
    prompts = ("Hello", "", "thirteen char")


class Limited(NamedTuple):
    """What became of one request. `counted` is by limit and action."""

    request: Request
    refusal: Refusal | None
    lowered: str
    counted: dict[tuple[str, ...], int]


def limited(dialect: Dialect, body: JsonObject, **table: TomlValue) -> Limited:
    """One body through the stage, and nothing else."""
    config, counts = stage_config(InputLimits, {**LIMITS, **table}), Counts()
    assert isinstance(config, InputLimitsConfig)
    stage, ctx, refusal = InputLimits(config, counts), Context(dialect.decode_request(body)), None
    try:
        stage.on_request(ctx)
    except Refusal as error:
        refusal = error
    counted = {labels: number for family in counts for labels, number in family.read()}
    return Limited(ctx.request, refusal, ctx.headers.get(CLAMPED_HEADER, ""), counted)


def param(dialect: Dialect, body: JsonObject, **table: TomlValue) -> str | None:
    """What a refusal points to, which its message names as well: Anthropic's error object has no other place for it."""
    refusal = limited(dialect, body, **table).refusal
    assert refusal is not None
    assert (refusal.status, refusal.code) == (400, "invalid_parameter")
    assert f"{refusal.param!r}" in refusal.message
    return refusal.param


@EVERY
def test_what_is_within_every_limit_goes_on_as_it_came(dialect: Dialect) -> None:
    body = body_of(dialect, "twelve chars", "hello")
    found = limited(dialect, body)
    assert (found.refusal, found.lowered, found.counted) == (None, "", {})
    assert found.request.body == body


@EVERY
def test_s4_47_too_many_messages_are_refused_in_every_dialect(dialect: Dialect) -> None:
    assert param(dialect, body_of(dialect, "a", "b", "c", "d")) == dialect.request_fields.messages


@EVERY
@pytest.mark.parametrize("text", ["", " \n\t "])
def test_s4_47_a_message_that_says_nothing_is_refused_in_every_dialect(dialect: Dialect, text: str) -> None:
    place = f"{dialect.request_fields.messages}[1]"
    assert param(dialect, body_of(dialect, "a", text)) in (place, f"{place}.content")
    assert limited(dialect, body_of(dialect, "a", text), empty_messages="allow").refusal is None


@EVERY
def test_s4_47_a_message_that_is_too_long_is_refused_in_every_dialect(dialect: Dialect) -> None:
    place = f"{dialect.request_fields.messages}[1]"
    assert param(dialect, body_of(dialect, "a", "x" * 13)) in (place, f"{place}.content")
    assert limited(dialect, body_of(dialect, "a", "x" * 13), max_message_chars="unlimited").refusal is None


@EVERY
def test_the_characters_of_all_texts_count_those_of_unknown_fields_too(dialect: Dialect) -> None:
    assert param(dialect, body_of(dialect, "a", acme_words={"list": ["x" * 29]})) == "acme_words"


@pytest.mark.parametrize(
    ("dialect", "fields", "place"),
    [
        (OPENAI_CHAT, {"tools": [{}, {}, {}]}, "tools"),
        (OPENAI_CHAT, {"functions": [{}, {}, {}]}, "functions"),
        (OPENAI_RESPONSES, {"tools": [{}, {}, {}]}, "tools"),
        (ANTHROPIC_MESSAGES, {"tools": [{}, {}, {}]}, "tools"),
        (OPENAI_CHAT, {"stop": ["a", "b", "c"]}, "stop"),
        (OPENAI_COMPLETIONS, {"stop": ["a", "b", "c"]}, "stop"),
        (ANTHROPIC_MESSAGES, {"stop_sequences": ["a", "b", "c"]}, "stop_sequences"),
        (OPENAI_CHAT, {"max_tokens": 101}, "max_tokens"),
        (OPENAI_CHAT, {"max_completion_tokens": 101, "max_tokens": 5}, "max_completion_tokens"),
        (OPENAI_RESPONSES, {"max_output_tokens": 101}, "max_output_tokens"),
        (ANTHROPIC_MESSAGES, {"max_tokens": 101}, "max_tokens"),
        (OPENAI_CHAT, {"n": 3}, "n"),
        (OPENAI_COMPLETIONS, {"n": 1, "best_of": 3}, "best_of"),
        (OPENAI_EMBEDDINGS, {"input": [[1, 2, 3, 4]]}, "input[0]"),
        (OPENAI_EMBEDDINGS, {"input": [[1, 2, 3]] * 3, "user": "u"}, "input"),
        (OPENAI_COMPLETIONS, {"prompt": [1, 2, 3, 4]}, "prompt"),
        (OPENAI_RESPONSES, {"input": None, "k" * 31: 1}, "input"),
        (OPENAI_COMPLETIONS, {"prompt": ""}, "prompt"),
        (OPENAI_RESPONSES, {"input": " "}, "input"),
        (OPENAI_RESPONSES, {"instructions": "thirteen char"}, "instructions"),
        (ANTHROPIC_MESSAGES, {"system": [{"type": "text", "text": "thirteen char"}]}, "system[0]"),
    ],
)
def test_h24_what_is_too_much_is_refused_by_its_name_in_the_callers_dialect(
    dialect: Dialect, fields: JsonObject, place: str
) -> None:
    assert param(dialect, body_of(dialect, "a", **fields)) == place


@pytest.mark.parametrize("role", [[], ["user"], {}, None, 1, True, "user", "tool"], ids=str)
@pytest.mark.parametrize("dialect", [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES], ids=lambda each: each.name)
def test_a_part_is_limited_whatever_its_role_is(dialect: Dialect, role: JsonValue) -> None:
    def said(text: str) -> JsonObject:
        part = {"type": "text", "text": text, "role": role}
        return body_of(dialect, **{dialect.request_fields.messages: [{"role": "user", "content": [part]}]})

    assert limited(dialect, said("hello")).refusal is None
    assert param(dialect, said("thirteen char")) == f"{dialect.request_fields.messages}[0].content"


@pytest.mark.parametrize("role", [[], {}, None, 1], ids=str)
def test_an_item_is_limited_whatever_its_role_is(role: JsonValue) -> None:
    item = {"role": role, "content": "thirteen char"}
    assert param(OPENAI_RESPONSES, body_of(OPENAI_RESPONSES, input=[item])) == "input[0].content"


def test_the_longest_member_of_a_message_is_named() -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "x" * 13}}]
    message = {"role": "assistant", "content": "hi", "tool_calls": calls}
    assert param(OPENAI_CHAT, {"model": "m", "messages": [message]}) == "messages[0].tool_calls"
    assert param(OPENAI_CHAT, {"model": "m", "messages": [{"role": "user", "k" * 65: "x"}]}, **ALLOW) == "messages[0]"


ALLOW = {"empty_messages": "allow"}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "tool_call_id": "c", "content": ""},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {}}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
        {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "hi"}]},
    ],
)
def test_what_is_not_text_and_what_a_tool_returned_is_not_empty(message: JsonObject) -> None:
    assert limited(OPENAI_CHAT, {"model": "m", "messages": [message]}, max_message_chars=100).refusal is None


@pytest.mark.parametrize("said", [None, "", " ", [], [{"type": "text", "text": " "}], [{"type": "text"}], [""]])
def test_no_form_of_saying_nothing_passes(said: object) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": said, "name": "x", "refusal": None}]}
    assert param(OPENAI_CHAT, body) == "messages[0].content"


@pytest.mark.parametrize("dialect", [OPENAI_RESPONSES, ANTHROPIC_MESSAGES])
def test_a_system_prompt_counts_as_a_message_where_it_says_something(dialect: Dialect) -> None:
    system = dialect.request_fields.system
    assert limited(dialect, body_of(dialect, "a", "b", "c", **{system: ""})).refusal is None
    assert param(dialect, body_of(dialect, "a", "b", "c", **{system: "d"})) == dialect.request_fields.messages


def test_images_are_not_text_but_text_that_says_it_is_one_counts() -> None:
    def asking(url: str) -> JsonObject:
        part = {"type": "image_url", "image_url": {"url": url}}
        return {"model": "m", "messages": [{"role": "user", "content": [part]}]}

    assert limited(OPENAI_CHAT, asking(f"data:image/png;base64,{'A' * 100}")).refusal is None
    assert param(OPENAI_CHAT, asking(f"data:image/png;base64,{'A ' * 100}")) == "messages[0].content"


def test_by_policy_what_is_asked_for_is_lowered_and_named() -> None:
    asked = {"max_completion_tokens": 10**8, "max_tokens": 5, "n": 128}
    found = limited(OPENAI_CHAT, body_of(OPENAI_CHAT, "a", **asked), on_excess="clamp")
    assert found.refusal is None
    assert found.request.body == body_of(OPENAI_CHAT, "a", max_completion_tokens=100, max_tokens=5, n=2)
    assert found.lowered == "max_completion_tokens, n"
    assert found.counted == {("tokens", "clamped"): 1, ("choices", "clamped"): 1}


def test_a_request_that_names_no_cap_gets_none() -> None:
    body = body_of(OPENAI_CHAT, "a")
    assert limited(OPENAI_CHAT, body, on_excess="clamp").request.body == body


def test_what_is_refused_is_counted_and_told_in_numbers() -> None:
    found = limited(OPENAI_CHAT, body_of(OPENAI_CHAT, "a", n=3))
    assert found.counted == {("choices", "refused"): 1}
    assert found.refusal is not None
    assert found.refusal.details == {"limit": 2, "requested": 3}


@pytest.mark.parametrize(
    ("prompt", "table", "result", "sent"),
    [
        ("hello", {}, "allowed", 1),
        ("x" * 13, {}, "blocked", None),
        ("", {}, "blocked", None),
        ("", {"mode": "monitor"}, "monitored", 1),
        ("hello", {"on_excess": "clamp"}, "masked", 2),
        ("hello", {"on_excess": "clamp", "mode": "monitor"}, "monitored", 9),
    ],
)
async def test_verdicts_say_what_was_done(prompt: str, table: TomlTable, result: str, sent: int | None) -> None:
    asked = 9 if "on_excess" in table else 1
    driven = await drive(InputLimits, {**LIMITS, **table}, prompt, stream=False, n=asked)
    assert driven.outcome is not None
    assert [verdict.result for verdict in driven.outcome.verdicts] == [result]
    assert [call.request.body["n"] for call in driven.sent] == ([] if sent is None else [sent])


@EVERY
@given(st.data(), st.sampled_from(["refuse", "clamp"]))
def test_whatever_the_body_it_is_refused_or_within_every_limit_afterwards(
    dialect: Dialect, data: st.DataObject, on_excess: str
) -> None:
    try:
        found = limited(dialect, data.draw(bodies(dialect)), on_excess=on_excess)
    except Refusal:
        return  # no request of this dialect at all
    if found.refusal is None:
        within(found.request.body, dialect)


def within(body: JsonMapping, dialect: Dialect) -> None:
    """The limits, read off the body by the names that each API documents."""
    said, *names = DOCUMENTED[dialect.name]
    for name in names:
        value = body.get(name)
        if isinstance(value, int):
            assert value <= LIMITS["max_choices" if name in ("n", "best_of") else "max_tokens"]
        if isinstance(value, list):
            assert len(value) <= LIMITS["max_tools"]
        if name in ("system", "instructions"):
            assert length(value) <= LIMITS["max_message_chars"]
    texts = body[said] if isinstance(body[said], list) and not isinstance(body[said][0], int) else [body[said]]
    assert len(texts) <= LIMITS["max_messages"]
    for text in texts:
        assert not isinstance(text, str) or text.strip()
        if isinstance(text, dict) and text["role"] != "tool" and not text.get("name") and "tool_calls" not in text:
            assert length(text["content"])
            assert not isinstance(text["content"], str) or text["content"].strip()
        assert length(text) <= LIMITS["max_message_chars"]
    assert length(body) <= LIMITS["max_total_chars"]


def length(value: JsonValue) -> int:
    """Characters of the strings of a message, but for those that say which kind of thing it is."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(length(inner) for key, inner in value.items() if key not in ("role", "type", "model"))
    return sum(map(length, value)) if isinstance(value, list) else 0
