"""What the rules never do, whatever a request holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat.silent import says_nothing
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_plugins.providers.openai.hosts import hosts
from sentinel_plugins.providers.openai.hosts.host import Host, MessageRules, RequestRules
from sentinel_plugins.providers.openai.hosts.messages import HEARD
from sentinel_plugins.providers.openai.hosts.request import Adapted
from sentinel_plugins.providers.openai.hosts.tool_ids import ToolIds
from tests.json_values import json_values

HOSTS = {name: value for name, value in vars(hosts).items() if isinstance(value, Host)}
OVER_HOSTS = pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
# One piece of code applies the rules of all nine: they share its examples.
EXAMPLES = settings(max_examples=settings().max_examples // 2)
NAMES = st.sampled_from(
    ["seed", "n", "logprobs", "temperature", "max_tokens", "max_completion_tokens", "user", "stop", "reasoning_effort"]
) | st.text(min_size=1, max_size=12)
JSON: st.SearchStrategy[JsonValue] = json_values(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=8), st.text(max_size=6)
)
TOOL = st.fixed_dictionaries({"function": st.dictionaries(st.sampled_from(["name", "parameters"]), JSON)}) | JSON
BESIDE = ("name", "refusal", "annotations", "audio", "images", "function_call", "reasoning", "reasoning_content")
MESSAGES = st.lists(
    st.builds(
        lambda role, rest: {"role": role, **rest},
        st.sampled_from(["developer", "system", "user", "assistant", "tool"]),
        st.dictionaries(st.sampled_from(["content", "tool_calls", "tool_call_id", "extra", *BESIDE]), JSON),
    ),
    max_size=3,
)
BODIES = st.builds(
    lambda rest, messages, tools: {**rest, "messages": messages, **({"tools": tools} if tools is not None else {})},
    st.dictionaries(NAMES.filter(lambda name: name not in ("messages", "tools", "tool_choice")), JSON, max_size=6),
    MESSAGES,
    st.none() | st.lists(TOOL, max_size=2),
)


def named(rules: RequestRules) -> set[str]:
    """Every parameter that some rule is about."""
    names = {*rules.rename, *rules.rename.values(), *rules.unsupported, *rules.unneeded, *rules.fixed, *rules.values}
    return names | rules.unsupported_in_reasoning | {"messages", "tools", "tool_choice"}


@OVER_HOSTS
@EXAMPLES
@given(body=BODIES)
def test_rules_never_lose_or_change_another_field(host: Host, body: JsonObject) -> None:
    adapted = Adapted(host.request, body, "grok-4.7")
    others = [name for name in body if name not in named(host.request)]
    assert [name for name in adapted.body if name in others] == others, "their order is kept too"
    assert {name: adapted.body[name] for name in others} == {name: body[name] for name in others}
    spoken = [message for message in adapted.body["messages"] if message is not HEARD]
    for old, new in zip(body["messages"], spoken, strict=True):
        known = (host.request.messages or MessageRules()).known
        may = {"content"} if known else {"content", "extra"}
        kept = {name: value for name, value in old.items() if name in may and (name == "extra" or value)}
        assert {name: new[name] for name in kept} == kept
        assert new.keys() <= old.keys() | {"content"}


@OVER_HOSTS
@EXAMPLES
@given(messages=MESSAGES)
def test_what_is_gone_of_a_message_was_named_or_says_nothing(host: Host, messages: list[JsonObject]) -> None:
    adapted = Adapted(host.request, {"messages": messages}, "m")
    rules = host.request.messages or MessageRules()
    for old, new in zip(messages, [one for one in adapted.body["messages"] if one is not HEARD], strict=True):
        for name in old.keys() - new.keys():
            assert f"messages.{name}" in adapted.left_out or old[name] is None or name in rules.unneeded | {"refusal"}


@OVER_HOSTS
@EXAMPLES
@given(body=BODIES)
def test_what_is_gone_was_named_renamed_or_meant_nothing(host: Host, body: JsonObject) -> None:
    adapted = Adapted(host.request, body, "grok-4.7")
    for name in body.keys() - adapted.body.keys():
        meant_nothing = says_nothing(name, body[name]) or body[name] == host.request.fixed.get(name, ...)
        renamed = host.request.rename.get(name) in adapted.body
        assert name in adapted.left_out or meant_nothing or renamed or name in host.request.unneeded


ANYWAY: JsonObject = {
    **{"frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "logprobs": False, "top_logprobs": 0, "n": 1},
    **{"store": False, "service_tier": "auto", "parallel_tool_calls": True, "modalities": ["text"]},
}


@OVER_HOSTS
def test_what_asks_for_what_happens_anyway_has_no_name(host: Host) -> None:
    assert Adapted(host.request, {"messages": [], **ANYWAY}, "grok-4.7").left_out == []


@OVER_HOSTS
@EXAMPLES
@given(body=BODIES)
def test_a_request_that_was_adapted_needs_no_more(host: Host, body: JsonObject) -> None:
    once = Adapted(host.request, body, "grok-4.7")
    twice = Adapted(host.request, once.body, "grok-4.7")
    assert (twice.body, twice.left_out) == (once.body, [])


@given(ids=st.lists(st.text(max_size=12) | st.from_regex(r"[A-Za-z0-9]{9}", fullmatch=True), max_size=20))
def test_ids_are_short_apart_and_reversible(ids: list[str]) -> None:
    made = ToolIds(frozenset(ids))
    short = {name: made.short(name) for name in ids}
    assert all(len(name) == 9 and name.isascii() and name.isalnum() for name in short.values())
    assert len(set(short.values())) == len(short)
    assert all(made.long(value) == name for name, value in short.items())
    assert all(made.short(value) == value for value in short.values()), "a short id stays as it is"


def test_an_id_keeps_its_short_form_from_turn_to_turn() -> None:
    assert ToolIds(frozenset({"call_1"})).short("call_1") == ToolIds(frozenset({"call_1", "call_0"})).short("call_1")
