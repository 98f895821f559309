"""Personal data in requests and replies: what is done about it, and what is said of it."""

from __future__ import annotations

import json
import logging
from typing import ClassVar, NoReturn

import pytest

from sentinel_core.config import Secret
from sentinel_core.errors import ConfigError, UpstreamError
from sentinel_core.json_types import TomlTable
from sentinel_core.keys import PRINCIPAL, Principal
from sentinel_core.testing import FakeProvider, StageConformance, context, settle
from sentinel_core.testing.harness import stage_config
from sentinel_core.testing.replies import chunk
from sentinel_plugins.guarding.stage import OFF_LOOP_CHARS
from sentinel_plugins.pii.config import PiiConfig
from sentinel_plugins.pii.stage import Pii
from tests.plugins.guarding.guards import MAIL, PII, everywhere, guards, sent, verdicts

TEXT = "ann@acme.com has 123-45-6789"


class TestConformance(StageConformance):
    stage = Pii
    config = PII
    minimum: ClassVar[TomlTable] = {}
    prompts = ("Hello", TEXT)
    replies = ("nothing here", f"{TEXT}.", "ann@acme.com", "bob@ 123-45-678")


class TestConformanceOfTheDefault(StageConformance):
    stage = Pii
    prompts = ("Hello", "mail bob@acme.com, ssn 123-45-6789")
    replies = ("nothing here", "card 4111 1111 1111 1111, call +1 415-555-2671.", "from 10.20.30.40 to bob@acme.com")


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ("redact", "[OWN_MAIL] has [OWN_SSN]"),
        ("mask", "********.com has *******6789"),
        ("warn", TEXT),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_each_action_in_both_directions(action: str, left: str, stream: bool) -> None:
    async with guards(FakeProvider((TEXT,)), pii={**PII, "action": action}) as chain:
        driven = await chain.ask(TEXT, stream=stream)
        assert (sent(driven), driven.text) == (left, left)
        result = "monitored" if action == "warn" else "masked"
        assert verdicts(driven) == {("pii", "request"): result, ("pii", "response"): result}


async def test_a_value_under_ten_characters_is_masked_whole() -> None:
    table = {"entities": [], "action": "mask", "custom": {"OWN_PIN": {"pattern": r"P\d+", "max_length": 12}}}
    async with guards(FakeProvider(), pii=table) as chain:
        assert sent(await chain.ask("P12345678 P123456789")) == "********* ******6789"


async def test_block_refuses_the_request_and_calls_nobody() -> None:
    async with guards(FakeProvider(), pii={**PII, "action": "block"}) as chain:
        driven = await chain.ask(TEXT)
        assert driven.error is not None
        assert (driven.error.code, driven.error.status, driven.sent) == ("content_policy_violation", 400, [])
        assert verdicts(driven)["pii", "request"] == "blocked"
        assert "acme" not in str(driven.error)


@pytest.mark.parametrize("stream", [False, True])
async def test_block_refuses_the_reply(stream: bool) -> None:
    async with guards(FakeProvider(("say ann@ac", "me.com", " now")), pii={**PII, "action": "block"}) as chain:
        driven = await chain.ask(stream=stream)
        assert driven.error is not None
        assert driven.error.code == "content_policy_violation"
        assert "ann" not in driven.text
        assert verdicts(driven)["pii", "response"] == "blocked"


async def test_single_entities_have_actions_of_their_own() -> None:
    async with guards(FakeProvider(), pii={**PII, "actions": {"OWN_SSN": "mask"}}) as chain:
        assert sent(await chain.ask(TEXT)) == "[OWN_MAIL] has *******6789"


async def test_hash_is_the_same_for_a_value_of_a_tenant_and_of_no_other() -> None:
    plain = stage_config(Pii, PII)
    assert isinstance(plain, PiiConfig)
    config = PiiConfig(entities=(), custom=plain.custom, action="hash", hash_key=Secret("k" * 16, "HASH_KEY"))
    async with guards(FakeProvider(), pii=config) as chain:
        codes: dict[str, str] = {}
        for tenant in ("a", "b", "a"):
            ctx = context("ann@acme.com, ann@acme.com")
            ctx[PRINCIPAL] = Principal(tenant=tenant, id="key")
            first, second = sent(await chain.asked(ctx)).split(", ")
            assert first == second == codes.setdefault(tenant, first)
            assert first.startswith("[OWN_MAIL:")
        assert codes["a"] != codes["b"]


async def test_every_occurrence_of_a_value_gets_the_same_replacement() -> None:
    """In the second message nothing says that this is a PIN."""
    table = {"entities": [], "custom": {"OWN_PIN": {"pattern": r"pin: \d{4}", "max_length": 9}}}
    messages = [{"role": "user", "content": "my pin: 1234"}, {"role": "user", "content": "(pin: 1234)"}]
    async with guards(FakeProvider(), pii=table) as chain:
        driven = await chain.ask(messages=messages)
        bodies = [message["content"] for message in driven.sent[-1].request.body["messages"]]
        assert bodies == ["my [OWN_PIN]", "([OWN_PIN])"]


async def test_a_value_at_the_end_that_another_begins_with_is_replaced() -> None:
    async with guards(FakeProvider(), pii={}) as chain:
        text = sent(await chain.ask("bob@acme.comCall me at bob@acme.com"))
        assert text == "[EMAIL_ADDRESS] me at [EMAIL_ADDRESS]"


async def test_allowed_values_are_left_alone_in_any_case() -> None:
    async with guards(FakeProvider(), pii={**PII, "allow": ["Help@acme.com"]}) as chain:
        assert sent(await chain.ask("help@acme.com or ann@acme.com")) == "help@acme.com or [OWN_MAIL]"


@pytest.mark.parametrize("direction", ["request", "response"])
async def test_the_other_direction_is_not_looked_at_and_has_no_verdict(direction: str) -> None:
    async with guards(FakeProvider((TEXT,)), pii={**PII, "direction": direction}) as chain:
        driven = await chain.ask(TEXT)
        assert verdicts(driven) == {("pii", direction): "masked"}
        assert (sent(driven) == TEXT, driven.text == TEXT) == (direction == "response", direction == "request")


CARD = {"entities": ["CREDIT_CARD"], "custom": {"OWN_MAIL": MAIL}}


@pytest.mark.parametrize("asked", ["json_object", "json_schema"])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_was_asked_for_as_json_stays_it(asked: str, stream: bool) -> None:
    said = ('{"card": 41111111', '11111111, "to": "ann\\u0040ac', 'me.com", "n": 4}')
    async with guards(FakeProvider(said), pii=CARD) as chain:
        driven = await chain.ask(stream=stream, response_format={"type": asked})
        assert json.loads(driven.text) == {"card": "[CREDIT_CARD]", "to": "[OWN_MAIL]", "n": 4}
    async with guards(FakeProvider(said), pii={**CARD, "numbers": "block"}) as chain:
        driven = await chain.ask(stream=stream, response_format={"type": asked})
        assert driven.error is not None
        assert driven.error.code == "content_policy_violation"


async def test_h48_every_channel_and_choice_of_a_reply() -> None:
    script = [
        chunk({"reasoning_content": "think ann@"}),
        chunk({"reasoning_content": "acme.com "}),
        chunk({"refusal": "no ann@acme.com "}),
        chunk({"content": "ann@acme"}, choice=1),
        chunk({"content": "a 123-45-"}),
        chunk({"content": ".com"}, choice=1),
        chunk({"content": "6789"}),
        chunk(
            {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]}
        ),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"to":"ann\\u00'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '40acme.com"}'}}]}),
        chunk({}, finish="stop", choice=1),
    ]
    async with guards(FakeProvider(script), pii=PII) as chain:
        driven = await chain.ask(stream=True, n=2)
        assert driven.lane("reasoning") == "think [OWN_MAIL] "
        assert driven.lane("refusal") == "no [OWN_MAIL] "
        assert driven.lane() == "a [OWN_SSN]"
        assert driven.lane(choice=1) == "[OWN_MAIL]"
        assert driven.lane("tool_arguments") == '{"to":"[OWN_MAIL]"}'


async def test_h48_unknown_fields_of_a_reply() -> None:
    async with guards(FakeProvider([chunk({"content": "x", "note": "ann@acme.com"})]), pii=PII) as chain:
        driven = await chain.ask(stream=True)
        assert "acme" not in str([event.texts() for event in driven.events if hasattr(event, "texts")])


async def test_h46_every_string_of_a_request() -> None:
    async with guards(FakeProvider(), pii=PII) as chain:
        driven = await chain.ask(**everywhere("ann@acme.com", TEXT))
        assert "acme" not in str(driven.sent[-1].request.body)
        assert "6789" not in str(driven.sent[-1].request.body)


async def test_a_cut_stream_is_partial() -> None:
    script = ("ann@acme.com ", UpstreamError("upstream_stream_interrupted"))
    async with guards(FakeProvider(script), pii=PII) as chain:
        driven = await chain.ask(stream=True)
        assert driven.text in ("", "[OWN_MAIL] ")
        assert verdicts(driven)["pii", "response"] == "partial"


async def test_a_long_request_is_searched_beside_the_loop() -> None:
    async with guards(FakeProvider(), pii=PII) as chain:
        text = f"{'word ' * (OFF_LOOP_CHARS // 5)} {TEXT}"
        driven = await chain.ask(text)
        assert sent(driven).endswith("[OWN_MAIL] has [OWN_SSN]")


class Broken:
    """Looks for values until it falls over, with the text in its last words."""

    max_length, left = 10, 0

    def find(self, text: str) -> NoReturn:
        raise RuntimeError(f"cannot read {text}")

    def live_from(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize(("on_fault", "served"), [("closed", False), ("open", True)])
async def test_a_guard_that_crashes_follows_its_policy_and_logs_no_text(
    on_fault: str, served: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("sentinel_plugins.guarding.policy.Reader", lambda *kinds: Broken())
    async with guards(FakeProvider(), pii={**PII, "on_fault": on_fault}) as chain:
        driven = await chain.ask(TEXT)
        await settle()
        assert (driven.error is None) is served
        assert bool(driven.sent) is served
        assert verdicts(driven)["pii", "request"] == "error"
        if driven.error is not None:
            assert (driven.error.code, driven.error.status) == ("guard_unavailable", 503)
    assert "acme" not in caplog.text


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"action": "hash"}, "needs a key"),
        ({"actions": {"OWN_OTHER": "block"}}, "OWN_OTHER is not looked for"),
        ({"entities": ["NO_SUCH"]}, "NO_SUCH is not looked for"),
        ({"custom": {"OWN": {"pattern": "(", "max_length": 3}}}, "not an RE2 pattern"),
        ({"custom": {"own": MAIL}}, "own"),
        ({"action": "reversible"}, "reversible"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(table: TomlTable, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        stage_config(Pii, table)


def test_everything_that_cannot_be_is_said_at_once() -> None:
    taken = {"EMAIL_ADDRESS": MAIL, "CREDIT_CARD": MAIL}
    unknown = {"entities": ["NO_SUCH", "NOR_SUCH"], "actions": {"OWN_OTHER": "hash"}}
    table = {"action": "reversible", "direction": "response", "recognisers": ["US_SSN"], "custom": taken, **unknown}
    with pytest.raises(ConfigError) as refused:
        stage_config(Pii, table)
    assert [problem.message.partition(";")[0] for problem in refused.value.problems] == [
        "custom.EMAIL_ADDRESS: this name is taken",
        "custom.CREDIT_CARD: this name is taken",
        "entities: NO_SUCH is not looked for",
        "entities: NOR_SUCH is not looked for",
        "actions: OWN_OTHER is not looked for",
        "recognisers: US_SSN is looked for without a model",
        'hash_key: the action "hash" needs a key',
        'hash_key: the action "reversible" needs a key',
        'direction: the action "reversible" puts back what it took out of requests',
    ]


@pytest.mark.parametrize("mode", ["enforce", "monitor"])
async def test_h40_h41_h43_an_enforcing_guard_forwards_nothing_that_nobody_sees(mode: str) -> None:
    clean = "Say hello \U0001f468\u200d\U0001f469 now"
    text = "Say\u200b he\u202ello \U0001f468\u200d\U0001f469\U000e0041\U000e0042 now"
    async with guards(FakeProvider(("hid\u200bden",)), pii={"mode": mode}) as chain:
        driven = await chain.ask(text, stream=True)
        assert sent(driven) == (clean if mode == "enforce" else text)
        assert driven.text == "hid\u200bden"
        assert verdicts(driven)["pii", "request"] == ("masked" if mode == "enforce" else "allowed")


@pytest.mark.parametrize("disguised", ["P12\u200b345", "\uff30\uff1112345", "P1234%35", "cGluIFAxMjM0NSBvaw=="])
@pytest.mark.parametrize("stream", [False, True])
async def test_values_of_patterns_of_ones_own_hide_in_no_disguise(disguised: str, stream: bool) -> None:
    table = {"entities": [], "custom": {"OWN_PIN": {"pattern": r"P\d{5,6}", "max_length": 7}}}
    async with guards(FakeProvider((f"it is {disguised} ", "now")), pii=table) as chain:
        driven = await chain.ask(f"it is {disguised} now", stream=stream)
        assert sent(driven) == driven.text == "it is [OWN_PIN] now"
