"""Names and places in requests and replies: read by a model first, then replaced like everything else."""

from __future__ import annotations

import json
import logging
from typing import ClassVar

import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError, UpstreamError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue, TomlTable
from sentinel_core.testing import FakeProvider, StageConformance, settle
from sentinel_core.testing.harness import stage_config
from sentinel_core.testing.replies import chunk
from sentinel_plugins.guarding.stage import OFF_LOOP_CHARS
from sentinel_plugins.pii.stage import Pii
from tests.long_form import long_form
from tests.plugins.guarding.guards import KEY, PII, guards, sent, verdicts
from tests.plugins.guarding.presidio import stand_in

NAMES: TomlTable = {**PII, "names": True, "places": True}
TEXT = "Ann Smith wrote to Bob. He is in Paris, ann@acme.com."
LEFT = "[PERSON] wrote to [PERSON]. He is in [LOCATION], [OWN_MAIL]."


@long_form
class TestConformance(StageConformance):
    stage = Pii
    config = NAMES
    minimum: ClassVar[TomlTable] = {"names": True}
    prompts = (TEXT,)
    replies = (f"{TEXT} And Ann Smi", "ann@acme.com. Dr. Bob\nin Paris")


@pytest.mark.parametrize("stream", [False, True])
async def test_names_and_places_are_replaced_in_both_directions(stream: bool) -> None:
    async with guards(FakeProvider((TEXT,)), pii=NAMES) as chain:
        driven = await chain.ask(TEXT, stream=stream)
        assert (sent(driven), driven.text) == (LEFT, LEFT)
        assert set(verdicts(driven).values()) == {"masked"}
        assert chain.counted("pii_detections")["PERSON", "redact", "response"] == 2


async def test_only_what_is_asked_for_is_looked_for() -> None:
    async with guards(FakeProvider(), pii={**PII, "places": True}) as chain:
        assert sent(await chain.ask(TEXT)) == "Ann Smith wrote to Bob. He is in [LOCATION], [OWN_MAIL]."
    async with guards(FakeProvider(), pii=PII) as chain:
        assert sent(await chain.ask(TEXT)) == "Ann Smith wrote to Bob. He is in Paris, [OWN_MAIL]."


@pytest.mark.parametrize("stream", [False, True])
async def test_each_has_an_action_of_its_own(stream: bool) -> None:
    async with guards(FakeProvider((TEXT,)), pii={**NAMES, "actions": {"PERSON": "mask", "LOCATION": "warn"}}) as chain:
        driven = await chain.ask(TEXT, stream=stream)
        assert sent(driven) == driven.text == "********* wrote to ***. He is in Paris, [OWN_MAIL]."
    async with guards(FakeProvider((TEXT,)), pii={**NAMES, "actions": {"PERSON": "block"}}) as chain:
        driven = await chain.ask("Hello", stream=stream)
        assert driven.error is not None
        assert (driven.error.code, driven.events) == ("content_policy_violation", [])
        assert verdicts(driven)["pii", "response"] == "blocked"
        driven = await chain.ask(TEXT)
        assert len(chain.provider.calls) == 1, "nobody was called for the second request"


async def test_allowed_names_stay() -> None:
    async with guards(FakeProvider(), pii={**NAMES, "allow": ["bob"]}) as chain:
        assert sent(await chain.ask("Bob knows Ann Smith")) == "Bob knows [PERSON]"


async def test_a_name_that_was_found_is_replaced_in_every_text_of_the_request() -> None:
    """Written as one word with what follows it, the model does not know it again."""
    messages = [{"role": "system", "content": "Bob"}, {"role": "user", "content": "{Bob}"}]
    async with guards(FakeProvider(), pii=NAMES) as chain:
        driven = await chain.ask(messages=messages, metadata={"Bob": "x"})
        body = driven.sent[-1].request.body
        assert [message["content"] for message in body["messages"]] == ["[PERSON]", "{[PERSON]}"]
        assert body["metadata"] == {"[PERSON]": "x"}


async def test_what_tools_and_formats_say_is_not_read() -> None:
    """A city among the values that a tool takes has to stay one."""
    schema = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}}
    tools = [{"type": "function", "function": {"name": "f", "description": "Of Paris", "parameters": schema}}]
    async with guards(FakeProvider(), pii=NAMES) as chain:
        driven = await chain.ask("Hello", tools=tools)
        assert driven.sent[-1].request.body["tools"] == tools


@pytest.mark.parametrize(
    "path", [("response_format",), ("output_format",), ("output_config", "format"), ("text", "format")], ids=".".join
)
async def test_what_a_format_says_is_not_read_in_any_dialect(path: tuple[str, ...]) -> None:
    name, *below = path
    value: JsonValue = {"type": "json_schema", "schema": {"properties": {"city": {"enum": ["Paris", "Rome"]}}}}
    for key in below:
        value = {key: value}
    async with guards(FakeProvider(("hi",)), pii=NAMES) as chain:
        driven = await chain.ask("Hello", **{name: value})
        assert driven.sent[-1].request.body[name] == value


async def test_strings_of_tool_arguments_are_texts_of_their_own() -> None:
    arguments = json.dumps({"to": "Ann Smith", "cc": ["B\u00f6b", "Bob"], "at": "Pa\u0072is", "n": 12})
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]
    script = [
        chunk({"tool_calls": [{**calls[0], "index": 0, "function": {"name": "f", "arguments": arguments[:9]}}]}),
        *(chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}) for part in arguments[9:]),
        chunk({}, finish="tool_calls"),
    ]
    expected = json.dumps({"to": "[PERSON]", "cc": ["B\u00f6b", "[PERSON]"], "at": "[LOCATION]", "n": 12})
    async with guards(FakeProvider(script), pii=NAMES) as chain:
        driven = await chain.ask(messages=[{"role": "assistant", "tool_calls": calls}], stream=True)
        sent_call = driven.sent[-1].request.body["messages"][0]["tool_calls"][0]
        assert sent_call["function"]["arguments"] == expected
        assert driven.lane("tool_arguments") == expected


@pytest.mark.parametrize("stream", [False, True])
async def test_strings_of_an_answer_that_was_asked_for_as_json_are_texts_of_their_own(stream: bool) -> None:
    said = json.dumps({"to": "Ann Smith", "at": "Pa\u0072is", "n": 12})
    async with guards(FakeProvider((said[:9], said[9:])), pii=NAMES) as chain:
        driven = await chain.ask(stream=stream, response_format={"type": "json_object"})
        assert json.loads(driven.text) == {"to": "[PERSON]", "at": "[LOCATION]", "n": 12}


async def test_every_channel_and_choice_of_a_reply() -> None:
    script = [
        chunk({"reasoning_content": "think Bo"}),
        chunk({"content": "a Ann Smi"}),
        chunk({"content": "Par"}, choice=1),
        chunk({"reasoning_content": "b."}),
        chunk({"content": "th"}),
        chunk({"content": "is"}, choice=1),
        chunk({"refusal": "no Bob"}),
        chunk({}, finish="stop", choice=1),
    ]
    async with guards(FakeProvider(script), pii=NAMES) as chain:
        driven = await chain.ask(stream=True, n=2)
        assert driven.lane("reasoning") == "think [PERSON]."
        assert driven.lane() == "a [PERSON]"
        assert driven.lane(choice=1) == "[LOCATION]"
        assert driven.lane("refusal") == "no [PERSON]"


async def test_unknown_fields_of_a_reply() -> None:
    async with guards(FakeProvider([chunk({"content": "x", "note": "Bob was here"})]), pii=NAMES) as chain:
        driven = await chain.ask(stream=True)
        assert "Bob" not in str([event.texts() for event in driven.events if hasattr(event, "texts")])


async def test_a_sentence_leaves_before_the_next_one_is_there() -> None:
    script = ("One sen", "tence. Ano", "ther one", UpstreamError("upstream_stream_interrupted"))
    async with guards(FakeProvider(script), pii={"entities": [], "names": True}) as chain:
        driven = await chain.ask(stream=True)
        assert driven.text == "One sentence. "
        assert verdicts(driven)["pii", "response"] == "partial"


@pytest.mark.parametrize("order", [("pii", "secrets"), ("secrets", "pii")])
async def test_a_secret_counts_before_a_name_and_one_that_blocks_before_a_secret(order: tuple[str, ...]) -> None:
    named = {"pattern": "key of Ann Smith: [0-9]+", "max_length": 40}
    tables = {"pii": NAMES, "secrets": {"entities": [], "custom": {"OWN_KEY": KEY, "OWN_NAMED": named}}}
    text = "key of Ann Smith: 1234, and Bob."
    for blocking, left in (({}, "[OWN_NAMED], and [PERSON]."), ({"actions": {"PERSON": "block"}}, None)):
        tables["pii"] = {**NAMES, **blocking}
        async with guards(FakeProvider((text,)), **{name: tables[name] for name in order}) as chain:
            for stream in (False, True):
                driven = await chain.ask(text, stream=stream)
                assert (driven.text if driven.error is None else None) == left
                assert left is None or sent(driven) == left


async def test_a_conversation_that_grows_is_read_once() -> None:
    async with guards(FakeProvider(("I know Bob. Do you?",)), pii={**NAMES, "ner": {"cache_entries": 100}}) as chain:
        messages: list[dict[str, str]] = []
        for turn in ("First, Ann Smith.", "Then Paris.", "Then Bob."):
            messages.append({"role": "user", "content": turn})
            driven = await chain.ask(messages=messages)
            messages.append({"role": "assistant", "content": driven.text})
        counted = chain.counted("pii_segments")
        # Three turns of the user; two sentences of the model, one of which is another when it is shown again.
        assert counted["read",] == 3 + 2 + 1
        assert counted["known",] == (2 + 2) + (4 + 2)


async def test_what_stands_for_a_value_is_no_name() -> None:
    """A model is easily wrong about those."""
    text = "[PERSON] *** [LOCATION:abcdefghijklmnop] Q4M0X7B2D9F1K3P8N"
    async with guards(FakeProvider((text,)), pii={**NAMES, "custom": {}}) as chain:
        driven = await chain.ask(text)
        assert sent(driven) == driven.text == text


async def test_a_long_request_is_cut_beside_the_loop() -> None:
    waiting = {"ner": {"max_waiting_chars": 2 * OFF_LOOP_CHARS}}
    async with guards(FakeProvider(), pii={**NAMES, **waiting}) as chain:
        text = f"{'word ' * (OFF_LOOP_CHARS // 5)} {TEXT}"
        assert sent(await chain.ask(text)).endswith(LEFT)


async def test_what_is_no_prose_is_not_read() -> None:
    """A picture in a text, as a data URL, costs no more than the few characters at its end."""
    parts = [{"type": "text", "text": "data:image/png;base64," + "QUJD" * 50_000}]
    messages = [{"role": "user", "content": parts}, {"role": "user", "content": "12 + 30 = 42"}]
    async with guards(FakeProvider(("42",)), pii={"entities": [], "names": True}) as chain:
        driven = await chain.ask(messages=messages)
        assert driven.error is None
        assert chain.counted("pii_segments")["read",] == 1


FAULTS = {
    "full": (" ".join(f"Bob{number}" for number in range(300)), "QueueFull"),
    "lost": (stand_in.CRASH, "WorkerLost"),
    "failed": (f"{stand_in.FAIL} Bob", "RecogniserFailed"),
}


@pytest.mark.parametrize("cause", FAULTS)
@pytest.mark.parametrize(("on_fault", "served"), [("closed", False), ("open", True)])
async def test_a_request_that_cannot_be_read_follows_the_policy_and_logs_no_text(
    cause: str, on_fault: str, served: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text, kind = FAULTS[cause]
    table = {**NAMES, "on_fault": on_fault, "ner": {"max_waiting_chars": 1_000}}
    async with guards(FakeProvider(), pii=table) as chain:
        driven = await chain.ask(text)
        await settle()
        assert bool(driven.sent) is (driven.error is None) is served
        assert verdicts(driven)["pii", "request"] == "error"
        if driven.error is not None:
            assert (driven.error.code, driven.error.status) == ("guard_unavailable", 503)
        assert chain.counted("pii_segment_faults") == {(cause,): 1}
    assert kind in caplog.text
    assert "Bob" not in caplog.text


async def test_a_deadline_that_passes_is_a_fault() -> None:
    async with guards(FakeProvider(), pii={**NAMES, "ner": {"deadline_s": 0.3}}) as chain:
        driven = await chain.ask(stand_in.HANG)
        assert verdicts(driven)["pii", "request"] == "error"
        assert driven.error is not None
        assert (driven.error.code, driven.sent) == ("guard_unavailable", [])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_reply_that_cannot_be_read_ends_and_is_no_success(stream: bool) -> None:
    async with guards(FakeProvider(("All is well. ", f"Bob {stand_in.CRASH}")), pii=NAMES) as chain:
        driven = await chain.ask(stream=stream)
        assert driven.error is not None
        assert driven.error.code == "guard_unavailable"
        assert "Bob" not in driven.text
        assert verdicts(driven)["pii", "response"] == "error"


@pytest.mark.parametrize("stream", [False, True])
async def test_in_shadow_nothing_changes_and_what_was_found_is_counted(stream: bool) -> None:
    async with guards(FakeProvider((TEXT,)), pii={**NAMES, "mode": "monitor"}) as chain:
        driven = await chain.ask(TEXT, stream=stream)
        assert sent(driven) == driven.text == TEXT
        assert set(verdicts(driven).values()) == {"monitored"}
        assert chain.counted("pii_detections")["PERSON", "redact", "request"] == 2


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"recognisers": ["EMAIL_ADDRESS"]}, "EMAIL_ADDRESS is looked for without a model"),
        ({"names": True, "custom": {"PERSON": KEY}}, "this name is taken"),
        ({"actions": {"PERSON": "block"}}, "PERSON is not looked for"),
        ({"ner": {"workers": 0}}, "workers"),
        ({"ner": {"langauge": "en"}}, "langauge"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(table: TomlTable, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        stage_config(Pii, table)


def test_names_without_the_extra_are_an_error_before_anything_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel_plugins.pii.names.recogniser.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"names: needs the packages .*; .* pip install '\.\[pii\]' in"):
        Gateway(settings_from({"stages": {"pii": NAMES}}))
    Gateway(settings_from({"stages": {"pii": PII}}))  # nobody asked for any


def test_a_model_that_is_not_installed_is_an_error_before_anything_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel_plugins.pii.names.recogniser.find_spec", lambda name: object())
    with pytest.raises(ConfigError, match=r"\[stages.pii\] ner.model: no model 'nope_sm' is installed"):
        Gateway(settings_from({"stages": {"pii": {**NAMES, "ner": {"model": "nope_sm"}}}}))


@pytest.mark.parametrize(
    ("ner", "key"), [({"model": stand_in.UNUSABLE}, "ner.model"), ({"model": stand_in.BROKEN}, "names")]
)
async def test_a_model_that_cannot_be_loaded_is_an_error_at_the_start(ner: TomlTable, key: str) -> None:
    with pytest.raises(ConfigError, match=r"\[stages\.pii\]") as failure:
        async with guards(FakeProvider(), pii={**NAMES, "ner": ner}):
            pytest.fail("it opened")
    assert [problem.key for problem in failure.value.problems] == [key]


async def test_a_refusal_keeps_its_own_status_though_every_character_is_an_event() -> None:
    """Nothing is committed before the first segment has been read."""
    table = {"entities": [], "names": True, "action": "block"}
    async with guards(FakeProvider(tuple("He is called Bob")), pii=table) as chain:
        driven = await chain.ask(stream=True)
        assert driven.error is not None
        assert (driven.error.status, driven.events) == (400, [])
