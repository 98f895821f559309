"""P6 on the wire: whatever API a stream is of, wherever its bytes are cut, its texts leave as they would whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from itertools import pairwise
from typing import ClassVar, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Call, Context
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.sse import SseParser
from sentinel_core.events import Event, Finish, TextEvent
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.keys import CANDIDATES, Target
from sentinel_core.messages import Operation
from sentinel_core.reply import EventStream, Reply
from sentinel_core.testing import FakeProvider
from tests.core.dialects.cuts import bytewise, cut, payloads
from tests.core.dialects.test_responses_openings import KINDS, opened, said_of, texts_in
from tests.loops import Loop
from tests.plugins.guarding.defined import DEFINED
from tests.plugins.guarding.guards import PII, SECRETS, Guards, guards
from tests.plugins.guarding.oracle import expected
from tests.properties import promised
from tests.upstream import DONE, chunk, delta
from tests.upstream.anthropic import block, ending, named, opening, text_block, thinking_block, tool_block
from tests.upstream.payloads import response, response_stream

WORDS = (
    "123-45-",
    "6789",
    "bob@",
    "acme.com",
    "bob@acme.com",
    "sk-ant-",
    "api03",
    " ",
    "x",
    "é",
    "😀",
    "\n",
    '"',
    "\\ ",  # with a letter it is an escape, which `test_views.py` is about
)
TEXT = st.lists(st.sampled_from(WORDS), max_size=10).map("".join)
PLACES = st.lists(st.integers(0, 5000), max_size=12)

Lanes = dict[tuple[int, str, int], str]


class Wire(FakeProvider):
    """Sends one stream's bytes in these pieces, read as its provider reads them."""

    operations: ClassVar[frozenset[Operation]] = frozenset({"chat", "completion", "response"})

    def __init__(self) -> None:
        super().__init__()
        self.pieces: Sequence[bytes] = ()

    async def call(self, call: Call) -> Reply:
        self.calls.append(call)
        return EventStream(self._events(call.request.dialect), dialect=call.request.dialect)

    async def _events(self, dialect: Dialect) -> AsyncIterator[Event]:
        for event in events_of(dialect, self.pieces):
            yield event


def events_of(dialect: Dialect, pieces: Iterable[bytes]) -> list[Event]:
    decoder = dialect.stream_decoder()
    return [event for data, name in payloads(SseParser(), pieces) if data for event in decoder.decode(data, name)]


def lanes_of(events: Iterable[Event]) -> Lanes:
    lanes: Lanes = {}
    for event in events:
        if isinstance(event, TextEvent):
            lanes[event.lane] = lanes.get(event.lane, "") + event.text
    return {lane: text for lane, text in lanes.items() if text}


class Api(NamedTuple):
    """How one API streams texts: `written` takes pieces of content, of reasoning and of arguments."""

    dialect: Dialect
    written: Callable[[Sequence[str], Sequence[str], Sequence[str], bool], bytes]
    body: JsonObject


def event(payload: JsonObject, ascii_only: bool) -> bytes:
    return b"data: " + json.dumps(payload, ensure_ascii=ascii_only).encode() + b"\n\n"


def chat(content: Sequence[str], reasoning: Sequence[str], arguments: Sequence[str], ascii_only: bool) -> bytes:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    chunks = [delta(role="assistant", content="")]
    chunks += [delta(reasoning_content=text) for text in reasoning]
    for text in content:
        chunks += [delta(text), delta(text, index=1)]
    chunks.append(delta(tool_calls=[call]))
    chunks += [delta(tool_calls=[{"index": 0, "function": {"arguments": text}}]) for text in arguments]
    chunks += [delta(finish="tool_calls"), delta(index=1, finish="stop")]
    return b"".join(event(one, ascii_only) for one in chunks) + DONE


def completions(content: Sequence[str], _: Sequence[str], __: Sequence[str], ascii_only: bool) -> bytes:
    def said(text: str, index: int, finish: str | None = None) -> bytes:
        choice = {"index": index, "text": text, "logprobs": None, "finish_reason": finish}
        return event({**chunk([choice]), "object": "text_completion"}, ascii_only)

    texts = [said(text, index) for text in content for index in (0, 1)]
    return b"".join([*texts, said("", 0, "stop"), said("", 1, "stop"), DONE])


def messages(content: Sequence[str], reasoning: Sequence[str], arguments: Sequence[str], ascii_only: bool) -> bytes:
    blocks = [
        thinking_block(0, *reasoning),
        text_block(1, *content),
        tool_block(2, "toolu_1", "f", *arguments),
    ]
    frames = [opening(), *(frame for block in blocks for frame in block), *ending("tool_use")]
    return b"".join(rewritten(frame, ascii_only) for frame in frames)


def rewritten(frame: bytes, ascii_only: bool) -> bytes:
    name, _, data = frame.partition(b"\ndata: ")
    return name + b"\ndata: " + json.dumps(json.loads(data), ensure_ascii=ascii_only).encode() + b"\n\n"


def responses(content: Sequence[str], reasoning: Sequence[str], arguments: Sequence[str], ascii_only: bool) -> bytes:
    message, thought, call = 0, 1, 2
    whole = response("".join(content))
    said, ended = response_stream(*content)[:-1], response_stream(*content)[-1]
    part = {"type": "reasoning_text", "text": "".join(reasoning)}
    items: dict[int, JsonObject] = {
        message: whole["output"][0],
        thought: {"type": "reasoning", "id": "rs_1", "summary": [], "content": [part]},
        call: {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "".join(arguments)},
    }
    frames = [*said, *item(thought, items[thought], "reasoning_text", reasoning, {"content": []})]
    frames += item(call, items[call], "function_call_arguments", arguments, {"arguments": ""})
    last = {"type": "response.completed", "response": {**whole, "output": list(items.values())}}
    frames += [ended.partition(b"\ndata: ")[0] + b"\ndata: " + json.dumps(last).encode() + b"\n\n"]
    return b"".join(rewritten(frame, ascii_only) for frame in frames)


def item(number: int, whole: JsonObject, kind: str, texts: Sequence[str], empty: JsonObject) -> list[bytes]:
    """One output item that is said in pieces, and repeated whole."""
    at = {"item_id": whole["id"], "output_index": number}
    inside = {**at, "content_index": 0} if kind == "reasoning_text" else at
    name = "arguments" if kind == "function_call_arguments" else "text"
    return [
        named({"type": "response.output_item.added", "output_index": number, "item": {**whole, **empty}}),
        *(named({"type": f"response.{kind}.delta", **inside, "delta": text}) for text in texts),
        named({"type": f"response.{kind}.done", **inside, name: "".join(texts)}),
        named({"type": "response.output_item.done", "output_index": number, "item": whole}),
    ]


MESSAGES = [{"role": "user", "content": "hi"}]
APIS = {
    "chat": Api(OPENAI_CHAT, chat, {"messages": MESSAGES, "n": 2}),
    "completions": Api(OPENAI_COMPLETIONS, completions, {"prompt": "hi", "n": 2}),
    "messages": Api(ANTHROPIC_MESSAGES, messages, {"messages": MESSAGES, "max_tokens": 9}),
    "responses": Api(OPENAI_RESPONSES, responses, {"input": "hi"}),
}


def asked(api: Api) -> Context:
    ctx = Context(api.dialect.decode_request({"model": "fake", "stream": True, **api.body}), id="test")
    ctx[CANDIDATES] = (Target("fake", "fake"),)
    return ctx


async def through(chain: Guards, api: Api, pieces: Sequence[bytes]) -> bytes:
    """What a client gets of a stream."""
    assert isinstance(chain.provider, Wire)
    chain.provider.pieces = pieces
    ctx = asked(api)
    driven = await chain.asked(ctx)
    assert driven.error is None
    encoder = api.dialect.stream_encoder(ctx.request)
    return b"".join([*map(encoder.encode, driven.events), encoder.finish()])


@contextmanager
def running(**tables: TomlTable) -> Iterator[Callable[[Api, Sequence[bytes]], bytes]]:
    """The guards of these tables, opened once; calling it sends one stream through them."""
    with Loop() as loop:
        stack = AsyncExitStack()
        chain = loop.run(stack.enter_async_context(guards(Wire(), **tables)))
        try:
            yield lambda api, pieces: loop.run(through(chain, api, pieces))
        finally:
            loop.run(stack.aclose())


def redacted(text: str) -> str:
    return expected(text, DEFINED, lambda found, _: f"[{found.entity}]")


def whole(lane: tuple[int, str, int], text: str) -> str:
    if lane[1] != "tool_arguments":
        return redacted(text)
    return json.dumps({name: redacted(value) for name, value in json.loads(text).items()})


@pytest.mark.parametrize("name", APIS)
def test_p6_every_lane_is_what_its_whole_text_becomes(name: str) -> None:
    api = APIS[name]

    @promised()
    @given(content=TEXT, reasoning=TEXT, argument=TEXT, texts=PLACES, places=PLACES, ascii_only=st.booleans())
    def check(
        content: str, reasoning: str, argument: str, texts: list[int], places: list[int], ascii_only: bool
    ) -> None:
        arguments = json.dumps({"to": argument})
        wire = api.written(pieces(content, texts), pieces(reasoning, texts), pieces(arguments, texts), ascii_only)
        before = lanes_of(events_of(api.dialect, [wire]))
        after = lanes_of(events_of(api.dialect, [send(api, cut(wire, places))]))
        assert after == {lane: whole(lane, text) for lane, text in before.items()}

    with running(pii=PII, secrets=SECRETS) as send:
        check()


def pieces(text: str, places: Sequence[int]) -> list[str]:
    at = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(at)]


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize(
    ("said", "left"),
    [
        (("my ssn is 123-45-", "6789, ok"), "my ssn is [OWN_SSN], ok"),
        (("write to bob@", "acme.com now"), "write to [OWN_MAIL] now"),
        (("key: sk-ant-", "api03xyz."), "key: [OWN_KEY]."),
    ],
)
def test_replay_12_values_that_are_cut_byte_by_byte(name: str, said: Sequence[str], left: str) -> None:
    """mastra #23783, litellm PR #38788: `redaction succeeded`, and the value went out in two halves."""
    api, arguments = APIS[name], (f'{{"to": "{said[0]}', f'{said[1]}"}}')
    with running(pii=PII, secrets=SECRETS) as send:
        sent = send(api, bytewise(api.written(said, said, arguments, True)))
    lanes = {channel: text for (choice, channel, _), text in lanes_of(events_of(api.dialect, [sent])).items()}
    assert lanes.pop("content") == left
    assert name == "completions" or lanes == {"reasoning": left, "tool_arguments": f'{{"to": "{left}"}}'}
    for half in ("6789", "bob@", "acme.com", "sk-ant", "api03"):
        assert half.encode() not in sent


@pytest.mark.parametrize("name", APIS)
def test_what_one_text_of_a_reply_found_is_found_in_the_others(name: str) -> None:
    api, born = APIS[name], "born 01/02/1980, 01/02/1980"
    with running(pii={}, secrets={}) as send:
        sent = send(api, bytewise(api.written(["so 01/02", "/1980"], [born], ['{"of": "01/02/1980"}'], True)))
        later = send(api, bytewise(api.written(["so 01/02/1980", " is ", born], [""], ["{}"], True)))
    lanes = {channel: text for (_, channel, _), text in lanes_of(events_of(api.dialect, [sent])).items()}
    if name in ("chat", "messages"):  # whose thoughts come first
        assert lanes["content"] == "so [DATE_OF_BIRTH]"
    if name != "completions":
        assert json.loads(lanes["tool_arguments"]) == {"of": "[DATE_OF_BIRTH]"}
    lanes = {channel: text for (_, channel, _), text in lanes_of(events_of(api.dialect, [later])).items()}
    assert lanes["content"] == "so 01/02/1980 is born [DATE_OF_BIRTH], [DATE_OF_BIRTH]", "what left is not taken back"


def test_what_is_held_of_a_block_leaves_before_its_signature_and_its_end() -> None:
    """What is signed has to be what stands there, and a client adds what comes later to another block."""
    frames = [opening(), *thinking_block(0, "I think of bob", "@acme.com and of him"), *text_block(1, "Yes, he is bob")]
    wire = b"".join([*frames, *ending("end_turn")])
    with running(pii=PII, secrets=SECRETS) as send:
        sent = send(APIS["messages"], bytewise(wire))
    seen = [json.loads(data) for data, _ in payloads(SseParser(), [sent])]
    steps = [(one["index"], one.get("delta", {}).get("type", one["type"])) for one in seen if "index" in one]
    assert [step for step, after in pairwise([*steps, None]) if step != after] == [
        *((0, kind) for kind in ("content_block_start", "thinking_delta", "signature_delta", "content_block_stop")),
        *((1, kind) for kind in ("content_block_start", "text_delta", "content_block_stop")),
    ]
    said = [one["delta"].get("thinking", "") + one["delta"].get("text", "") for one in seen if "delta" in one]
    assert "".join(said) == "I think of [OWN_MAIL] and of himYes, he is bob"


@pytest.mark.parametrize("kind", ["server_tool_use", "mcp_tool_use"])
def test_what_the_provider_calls_itself_is_given_arguments_as_any_tool(kind: str) -> None:
    start = {"type": kind, "id": "srv_1", "name": "search", "input": {}}
    given_input = ('{"query": "bob@ac', 'me.com"}')
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in given_input]
    wire = b"".join([opening(), *block(0, start, *deltas), *text_block(1, "ok"), *ending("end_turn")])
    with running(pii=PII, secrets=SECRETS) as send:
        sent = send(APIS["messages"], bytewise(wire))
    seen = [json.loads(data) for data, _ in payloads(SseParser(), [sent])]
    arguments = "".join(one["delta"].get("partial_json", "") for one in seen if "delta" in one)
    assert json.loads(arguments) == {"query": "[OWN_MAIL]"}
    assert [one["content_block"]["type"] for one in seen if "content_block" in one] == [kind, "text"]


def ended_throughout(wire: bytes) -> bytes:
    """The same stream with an end in every chunk, as Gemini's have been and those of servers that pass them on."""
    frames = wire.removesuffix(DONE).split(b"\n\n")[:-1]
    chunks = [json.loads(frame.removeprefix(b"data: ")) for frame in frames]
    ended = [{**one, "choices": [{**choice, "finish_reason": "stop"} for choice in one["choices"]]} for one in chunks]
    return b"".join(event(one, True) for one in ended) + DONE


@pytest.mark.parametrize("name", ["chat", "completions"])
def test_p6_an_end_in_every_chunk_ends_no_text(name: str) -> None:
    api = APIS[name]

    @promised(among=2)
    @given(content=TEXT, reasoning=TEXT, texts=PLACES, places=PLACES)
    def check(content: str, reasoning: str, texts: list[int], places: list[int]) -> None:
        wire = ended_throughout(api.written(pieces(content, texts), pieces(reasoning, texts), ["{}"], True))
        before = lanes_of(events_of(api.dialect, [wire]))
        sent = events_of(api.dialect, [send(api, cut(wire, places))])
        assert lanes_of(sent) == {lane: whole(lane, text) for lane, text in before.items()}
        assert sorted(end.choice for end in sent if isinstance(end, Finish)) == [0, 1]

    with running(pii=PII, secrets=SECRETS) as send:
        check()


def test_blocks_that_overlap_end_no_text_of_each_other() -> None:
    start: JsonObject = {"type": "content_block_start", "content_block": {"type": "text", "text": ""}}
    said: JsonObject = {"type": "content_block_delta", "index": 0}
    parts = [{**said, "delta": {"type": "text_delta", "text": text}} for text in ("to bob@ac", "me.com, ok")]
    stops: list[JsonObject] = [{"type": "content_block_stop", "index": index} for index in (1, 0)]
    frames = [{**start, "index": 0}, {**start, "index": 1}, parts[0], stops[0], parts[1], stops[1]]
    wire = b"".join([opening(), *map(named, frames), *ending("end_turn")])
    with running(pii=PII, secrets=SECRETS) as send:
        sent = send(APIS["messages"], [wire])
    assert "".join(lanes_of(events_of(ANTHROPIC_MESSAGES, [sent])).values()) == "to [OWN_MAIL], ok"


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_is_found_that_begins_in_the_event_which_opens_its_text(kind: str) -> None:
    """The SDKs put that text ahead of the fragments, so the caller would read the value."""
    wire = b"".join(named(frame) for frame in opened(kind, "to bob@ac", "me.com, ok"))
    with running(pii=PII, secrets=SECRETS) as send:
        sent = send(APIS["responses"], [wire])
    frames = [json.loads(data) for data, _ in payloads(SseParser(), [sent])]
    assert said_of(frames) == "to [OWN_MAIL], ok"
    assert texts_in(frames[-1]) == ["to [OWN_MAIL], ok"]
    assert b"bob@ac" not in sent
