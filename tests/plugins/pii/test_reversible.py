"""`reversible`: the provider sees what stands for a value, the caller sees the value, and nobody else sees either."""

from __future__ import annotations

import gc
import json
import logging
from itertools import pairwise
from typing import ClassVar, Literal

import pytest

from sentinel_core.context import Call, CallNext, Context, Outcome
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.errors import ConfigError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonValue, TomlTable
from sentinel_core.keys import PRINCIPAL, Principal
from sentinel_core.messages import Answer
from sentinel_core.reply import Reply
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import FakeProvider, StageConformance, context, settle
from sentinel_core.testing.harness import stage_config
from sentinel_core.testing.replies import chunk, completion
from sentinel_plugins.guarding.stage import OFF_LOOP_CHARS
from sentinel_plugins.pii.stage import Pii
from sentinel_plugins.pii.vault import VAULT, Vault
from tests.plugins.guarding.guards import MAIL, SECRETS, Guards, everywhere, guards, sent, verdicts
from tests.plugins.pii.reversing import KEY, REVERSIBLE, Parrot, placeholders, reversing

TEXT = "ann@acme.com has 123-45-6789"


class TestConformance(StageConformance):
    stage = Pii
    config = REVERSIBLE
    minimum: ClassVar[TomlTable] = {"action": "reversible", "hash_key": KEY}
    prompts = ("Hello", TEXT)
    replies = ("nothing here", f"{TEXT}.", "ann@acme.com", "bob@ 123-45-678")


async def drawn(chain: Guards, text: str = TEXT, **fields: JsonValue) -> list[str]:
    return placeholders(sent(await chain.ask(text, **fields)))


@pytest.mark.parametrize("stream", [False, True])
async def test_p5_the_provider_sees_no_value_and_the_caller_no_placeholder(stream: bool) -> None:
    async with reversing(Parrot()) as chain:
        driven = await chain.ask(TEXT, stream=stream)
        assert "acme" not in sent(driven)
        assert len(placeholders(sent(driven))) == 2
        assert driven.text == TEXT
        assert verdicts(driven) == {("pii", "request"): "masked", ("pii", "response"): "allowed"}


@pytest.mark.parametrize("stream", [False, True])
async def test_in_any_case(stream: bool) -> None:
    class Quiet(Parrot):
        async def call(self, call: Call) -> Reply:
            body = json.loads(json.dumps(call.request.body).lower())
            return await super().call(Call(call.request.with_fields(**body), call.target, call.owner))

    async with reversing(Quiet()) as chain:
        assert (await chain.ask("Write to ann@acme.com", stream=stream)).text == "write to ann@acme.com"


@pytest.mark.parametrize("action", ["redact", "mask", "hash", "block", "warn"])
async def test_single_entities_have_actions_of_their_own(action: str) -> None:
    async with reversing(Parrot(), action=action, actions={"OWN_SSN": "reversible"}) as chain:
        driven = await chain.ask("it is 123-45-6789")
        assert len(placeholders(sent(driven))) == 1
        assert driven.text == "it is 123-45-6789"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_value_that_the_caller_never_sent_is_redacted_in_the_reply(stream: bool) -> None:
    async with reversing(Parrot()) as chain:
        assert isinstance(chain.provider, Parrot)
        chain.provider.before, chain.provider.after = "eve@acme.com wrote: ", ", ann@acme.com."
        driven = await chain.ask("ann@acme.com", stream=stream)
        assert driven.text == "[OWN_MAIL] wrote: ann@acme.com, ann@acme.com."
        assert verdicts(driven)["pii", "response"] == "masked"


@pytest.mark.parametrize("stream", [False, True])
async def test_what_the_model_makes_of_a_placeholder_is_the_callers_own(stream: bool) -> None:
    custom = {
        "NAME": {"pattern": "Ann", "max_length": 3},
        "MAIL": {"pattern": "[0-9A-Za-z]+@[a-z.]+", "max_length": 40},
    }
    async with reversing(Parrot(), custom=custom) as chain:
        assert isinstance(chain.provider, Parrot)
        chain.provider.after = "@acme.com, eve@acme.com"
        assert (await chain.ask("Ann", stream=stream)).text == "Ann@acme.com, [MAIL]"


async def test_without_replies_to_look_at_they_are_put_back_all_the_same() -> None:
    async with reversing(Parrot(), direction="request") as chain:
        assert (await chain.ask(TEXT)).text == TEXT


@pytest.mark.parametrize("stream", [False, True])
async def test_never_into_the_target_of_a_link_or_an_image(stream: bool) -> None:
    async with reversing(Parrot()) as chain:
        assert isinstance(chain.provider, Parrot)
        chain.provider.before, chain.provider.after = "![x](https://evil.test/?q=", ") said ann@acme.com"
        driven = await chain.ask("ann@acme.com", stream=stream)
        (text,) = placeholders(sent(driven))
        assert driven.text == f"![x](https://evil.test/?q={text}) said ann@acme.com"


@pytest.mark.parametrize("stream", [False, True])
async def test_the_vault_dies_with_the_request(stream: bool) -> None:
    """At once, and not when the garbage collector comes by."""
    async with reversing(Parrot()) as chain:
        gc.collect()
        gc.disable()
        others = vaults()
        try:
            assert (await chain.ask(TEXT, stream=stream)).text == TEXT
            chain.provider.calls.clear()  # a provider of the tests keeps them
            assert [one for one in vaults() if one not in others] == []
        finally:
            gc.enable()


def vaults() -> list[Vault]:
    return [one for one in gc.get_objects() if isinstance(one, Vault)]


async def test_the_same_value_gets_the_same_placeholder_in_every_slot() -> None:
    async with reversing(FakeProvider()) as chain:
        body = json.dumps((await chain.ask(**everywhere("ann@acme.com", TEXT))).sent[-1].request.body)
        assert len(set(placeholders(body))) == 2
        assert "acme" not in body


async def test_p5_vaults_of_two_tenants_principals_and_conversations_have_nothing_in_common() -> None:
    kinds: tuple[Literal["key", "user"], ...] = ("key", "user")
    async with reversing(FakeProvider()) as chain:
        seen: dict[str, tuple[Principal, str]] = {}
        principals = [Principal(tenant, name, kind=kind) for tenant in "ab" for name in "ab" for kind in kinds]
        for who, text in [(who, f"{word} {TEXT}") for who in principals for word in ("hi", "hello")]:
            for _ in range(2):
                ctx = context(text)
                ctx[PRINCIPAL] = who
                for placeholder in placeholders(sent(await chain.asked(ctx))):
                    assert seen.setdefault(placeholder, (who, text)) == (who, text)
        assert len(seen) == 32


async def test_p5_the_nonce_is_drawn_again_where_it_occurs_literally() -> None:
    """Text that looks like a placeholder is text: it comes back as it was."""
    async with reversing(Parrot()) as chain:
        first = await drawn(chain, messages=[{"role": "user", "content": "hi"}, {"role": "user", "content": TEXT}])
        for literal in (first[0], first[0].lower()):
            text = f"{literal} is {TEXT}"
            driven = await chain.ask(messages=[{"role": "user", "content": "hi"}, {"role": "user", "content": text}])
            second = placeholders(sent(driven).replace(literal, ""))
            assert len(second) == 2
            assert not {one[:6] for one in first} & {one[:6] for one in second}
            assert driven.text == text


async def test_what_stayed_in_a_link_is_no_reason_to_draw_again() -> None:
    """Clients send it back with the history, and all turns before have to stay as they were."""
    async with reversing(Parrot()) as chain:
        (first,) = await drawn(chain, "ann@acme.com")
        messages = [
            {"role": "user", "content": "ann@acme.com"},
            {"role": "assistant", "content": f"[x](https://evil.test/{first})"},
            {"role": "user", "content": "ann@acme.com"},
        ]
        assert await drawn(chain, messages=messages) == [first]


async def test_h48_every_channel_and_choice_of_a_reply() -> None:
    class Thinking(FakeProvider):
        async def call(self, call: Call) -> Reply:
            self.calls.append(call)
            (text,) = placeholders(call.request.body["messages"][-1]["content"])
            halves = [text[:5], f"{text[5:].lower()}."]
            kinds = [("reasoning_content", 0), ("refusal", 0), ("content", 0), ("content", 1)]
            script = [chunk({key: half}, choice=choice) for half in halves for key, choice in kinds]
            return await FakeProvider([*script, chunk({}, finish="stop", choice=1)]).call(call)

    async with reversing(Thinking()) as chain:
        driven = await chain.ask("ann@acme.com", stream=True, n=2)
        lanes = (driven.lane("reasoning"), driven.lane("refusal"), driven.lane(), driven.lane(choice=1))
        assert lanes == ("ann@acme.com.",) * 4


async def test_tool_arguments_stay_json_through_every_level() -> None:
    class Calling(FakeProvider):
        async def call(self, call: Call) -> Reply:
            self.calls.append(call)
            text = call.request.body["messages"][-1]["content"]
            arguments = json.dumps({"to": text, "raw": json.dumps({"card": text})})
            function = {"name": "f", "arguments": arguments}
            if not call.request.stream:
                calls = [{"id": "c", "type": "function", "function": function}]
                message = {"role": "assistant", "content": None, "tool_calls": calls}
                return completion("", choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])
            head = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
            pieces = [{"index": 0, "function": {"arguments": sign}} for sign in arguments]
            return await FakeProvider([chunk({"tool_calls": [one]}) for one in (head, *pieces)]).call(call)

    custom = {"OWN_NAME": {"pattern": '[A-Z]"[A-Z][a-z]+', "max_length": 20}}
    async with reversing(Calling(), custom=custom) as chain:
        for stream in (False, True):
            driven = await chain.ask('O"Neil', stream=stream)
            assert "Neil" not in sent(driven)
            if stream:
                arguments = driven.lane("tool_arguments")
            else:
                assert driven.answer is not None
                call = driven.answer.body["choices"][0]["message"]["tool_calls"][0]
                arguments = call["function"]["arguments"]
            given = json.loads(arguments)
            assert given["to"] == 'O"Neil'
            assert json.loads(given["raw"]) == {"card": 'O"Neil'}


@pytest.mark.parametrize("parts", [[17], [2, 17], []], ids=["one", "two", "summary"])
async def test_what_says_the_reasoning_of_a_whole_answer_again_gets_its_values_back(parts: list[int]) -> None:
    """As OpenRouter does, in as many parts as it likes."""

    class Thinking(FakeProvider):
        async def call(self, call: Call) -> Reply:
            said = f"so {call.request.body['messages'][-1]['content']}"
            places = [0, *parts, len(said)]
            details = [{"type": "reasoning.text", "text": said[one:two]} for one, two in pairwise(places)]
            if not parts:
                details = [{"type": "reasoning.summary", "summary": said}]
            details.append({"type": "reasoning.encrypted", "data": "AAAA"})
            message = {"role": "assistant", "content": "x", "reasoning": said, "reasoning_details": details}
            return completion("", choices=[{"index": 0, "message": message, "finish_reason": "stop"}])

    async with reversing(Thinking()) as chain:
        driven = await chain.ask("ann@acme.com")
        assert driven.answer is not None
        message = driven.answer.body["choices"][0]["message"]
        details = message["reasoning_details"]
        assert message["reasoning"] == "so ann@acme.com"
        assert "".join(one.get("text", "") + one.get("summary", "") for one in details) == "so ann@acme.com"
        assert details[-1] == {"type": "reasoning.encrypted", "data": "AAAA"}


async def test_arguments_that_a_server_gives_as_an_object_get_their_values_back() -> None:
    class Calling(FakeProvider):
        async def call(self, call: Call) -> Reply:
            function = {"name": "f", "arguments": {"to": call.request.body["messages"][-1]["content"], "n": 1}}
            message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": function}]}
            return completion("", choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])

    async with reversing(Calling()) as chain:
        driven = await chain.ask("ann@acme.com")
        assert driven.answer is not None
        (slot,) = [slot for slot in driven.answer.texts() if slot.kind == "tool_arguments"]
        assert json.loads(slot.text) == {"to": "ann@acme.com", "n": 1}


@pytest.mark.parametrize("form", [str, dict])
@pytest.mark.parametrize("numbers", ["string", "block"])
async def test_a_value_in_a_number_becomes_a_string_or_blocks(numbers: str, form: type) -> None:
    given = '{"card": 4111111111111111, "n": 1}'
    function = {"name": "f", "arguments": given if form is str else json.loads(given)}
    messages = [
        {"role": "user", "content": "card 4111111111111111"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": function}]},
    ]
    async with guards(FakeProvider(), pii={"action": "reversible", "hash_key": KEY, "numbers": numbers}) as chain:
        driven = await chain.ask(messages=messages)
        if numbers == "block":
            assert driven.error is not None
            assert (driven.error.code, driven.sent) == ("content_policy_violation", [])
            return
        arguments = driven.sent[-1].request.body["messages"][1]["tool_calls"][0]["function"]["arguments"]
        (card,) = await drawn(chain, "card 4111111111111111")
        expected = f'{{"card": "{card}", "n": 1}}'
        assert arguments == (expected if form is str else json.loads(expected))


@pytest.mark.parametrize("numbers", ["string", "block"])
async def test_a_value_in_a_number_of_what_an_anthropic_client_says_a_tool_was_given(numbers: str) -> None:
    used = {"type": "tool_use", "id": "c", "name": "f", "input": {"card": 4111111111111111, "n": 1}}
    result = {"type": "tool_result", "tool_use_id": "c", "content": "done"}
    messages = [
        {"role": "user", "content": "card 4111111111111111"},
        {"role": "assistant", "content": [used]},
        {"role": "user", "content": [result]},
    ]
    body = {"model": "m", "max_tokens": 9, "messages": messages}
    async with guards(FakeProvider(), pii={"action": "reversible", "hash_key": KEY, "numbers": numbers}) as chain:
        asked = context()
        asked.request = ANTHROPIC_MESSAGES.decode_request(body)
        driven = await chain.asked(asked)
        if numbers == "block":
            assert driven.error is not None
            assert (driven.error.code, driven.sent) == ("content_policy_violation", [])
            return
        sent = driven.sent[-1].request.body["messages"]
        card = sent[0]["content"].removeprefix("card ")
        assert card != "4111111111111111"
        assert sent[1]["content"] == [{**used, "input": {"card": card, "n": 1}}]


class Keeping(Stage):
    """A cache in the smallest: keeps what the guards let through, and answers with it whatever is asked."""

    name = "keeping"

    def __init__(self) -> None:
        super().__init__(StageConfig())
        self.kept: Answer | None = None

    @hookimpl
    async def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        """The answer that was kept."""
        return self.kept if self.kept is not None else await call_next(call)

    @hookimpl
    def on_finish(self, outcome: Outcome) -> None:
        """Keep the answer."""
        self.kept = self.kept or outcome.guarded


@pytest.mark.parametrize("stream", [False, True])
async def test_c34_a_cache_holds_placeholders_only_and_gives_no_value_to_another_conversation(stream: bool) -> None:
    cache = Keeping()
    async with reversing(Parrot(), cache) as chain:
        assert (await chain.ask("ann@acme.com", stream=stream)).text == "ann@acme.com"
        assert cache.kept is not None
        assert "acme" not in str(cache.kept.body)
        (kept,) = placeholders(str(cache.kept.body))
        assert (await chain.ask("ann@acme.com", stream=stream)).text == "ann@acme.com"
        other = await chain.ask("hi, ann@acme.com and bob@acme.com", stream=stream)
        assert other.text == kept
        assert (await chain.ask("hi", stream=stream)).text == kept


async def test_the_vault_dies_with_its_request_and_no_log_holds_a_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with reversing(Parrot()) as chain:
        ctx = context(TEXT)
        driven = await chain.asked(ctx)
        await settle()
        assert ctx[VAULT].placeholder("ann@acme.com") in placeholders(sent(driven))
        assert (
            "acme" not in f"{caplog.text} {ctx.copy()!r} {driven.outcome!r} {driven.outcome and driven.outcome.guarded}"
        )


async def test_secrets_take_no_placeholder_for_a_token() -> None:
    """`token: ` in front of letters and digits: that is what a secret looks like."""
    async with guards(Parrot(), pii=REVERSIBLE, secrets={**SECRETS, "entities": None}) as chain:
        assert (await chain.ask("token: ann@acme.com")).text == "token: ann@acme.com"
        assert (await chain.ask("token: ann@acme.com", stream=True)).text == "token: ann@acme.com"


@pytest.mark.parametrize("stream", [False, True])
async def test_in_shadow_nothing_is_replaced(stream: bool) -> None:
    async with reversing(Parrot(), mode="monitor") as chain:
        driven = await chain.ask(TEXT, stream=stream)
        assert (sent(driven), driven.text) == (TEXT, TEXT)
        assert verdicts(driven) == {("pii", "request"): "monitored", ("pii", "response"): "monitored"}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_content_that_was_asked_for_as_json_is_put_back_string_by_string(stream: bool) -> None:
    async with reversing(Parrot(), custom={"OWN": {"pattern": '[A-Z]"[A-Z]', "max_length": 3}, "M": MAIL}) as chain:
        assert isinstance(chain.provider, Parrot)
        chain.provider.before, chain.provider.after = '{"url":"https://acme.test/","who":"', '"}'
        driven = await chain.ask('O"N', stream=stream, response_format={"type": "json_object"})
        assert json.loads(driven.text) == {"url": "https://acme.test/", "who": 'O"N'}


async def test_a_long_request_is_searched_beside_the_loop() -> None:
    async with reversing(Parrot()) as chain:
        chain.provider.size = 4096  # type: ignore[attr-defined]  # a parrot
        text = f"{'word ' * (OFF_LOOP_CHARS // 5)} {TEXT}"
        driven = await chain.ask(text)
        assert "acme" not in sent(driven)
        assert driven.text == text


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"action": "reversible"}, 'the action "reversible" needs a key'),
        ({"actions": {"US_SSN": "reversible"}}, 'the action "reversible" needs a key'),
        ({"action": "reversible", "hash_key": KEY, "direction": "response"}, 'write "request" or "both"'),
        ({"action": "reversable", "hash_key": KEY}, "reversible"),
        ({"numbers": "digit"}, "string"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(table: TomlTable, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        stage_config(Pii, table)
