"""Back: a client of any dialect gets what any upstream said, whole or streamed, however its bytes were cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Call as ProviderCall
from sentinel_core.dialects.base import Dialect
from sentinel_core.keys import Target
from sentinel_core.messages import Answer
from sentinel_core.provider import Provider
from sentinel_core.usage import Usage
from tests.core.dialects.pairs.conversations import CLIENTS, arguments, body_by, names, request_of, texts
from tests.core.dialects.pairs.told import Told, expected, told_in_chat, told_in_messages, told_in_responses
from tests.plugins.providers.calls import Nobody, drained
from tests.plugins.providers.fed import Fed
from tests.plugins.providers.spoken import provider_at
from tests.properties import promised
from tests.upstream.api import Call, Said
from tests.upstream.apis import Spoken, over
from tests.upstream.payloads import encoded

OVER_CLIENTS = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
READERS = {"anthropic.messages": told_in_messages, "openai.responses": told_in_responses}


def told(answer: Answer) -> Told:
    """The answer as a client of its dialect reads it."""
    return READERS.get(answer.dialect.name, told_in_chat)(answer.body)


def call_of(client: Dialect, *, stream: bool) -> ProviderCall:
    chat = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    request = request_of(client, {**body_by(client, chat), "stream": stream})
    return ProviderCall(request, Target("up", "m"), Nobody(), attempt=1)


async def answer(provider: Provider, client: Dialect) -> Answer:
    reply = await provider.call(call_of(client, stream=False))
    assert isinstance(reply, Answer)
    return reply


async def assembled(provider: Provider, client: Dialect) -> Answer:
    """A stream as the client puts it together."""
    reply = await provider.call(call_of(client, stream=True))
    assert not isinstance(reply, Answer)
    events, error = await drained(reply)
    assert error is None
    return client.assemble(events)


def cut(wire: bytes, places: Sequence[int]) -> list[bytes]:
    at = sorted({0, len(wire), *(place % (len(wire) + 1) for place in places)})
    return [wire[start:end] for start, end in pairwise(at)]


async def heard(spoken: Spoken, client: Dialect, said: Said, places: Sequence[int] | None) -> Told:
    """What the client reads of an answer, or of a stream whose bytes are cut at these places."""
    if places is None:
        fed = Fed([encoded(spoken.api.answer(said))])
    else:
        fed = Fed(cut(b"".join(spoken.api.stream(said).whole), places), spoken.api.content_type)
    async with provider_at(spoken, "http://upstream.test", pools=fed) as provider:
        return told(await (answer if places is None else assembled)(provider, client))


usages = st.builds(
    lambda prompt, completion, cached, reasoned: Usage(
        prompt + cached, completion + reasoned, prompt + cached + completion + reasoned, cached, reasoned
    ),
    st.integers(1, 999),
    st.integers(1, 999),
    st.integers(0, 999),
    st.integers(0, 99),
)
calls = st.lists(st.tuples(names, arguments), max_size=2).map(
    lambda made: [Call(f"call0000{number}", name, value) for number, (name, value) in enumerate(made)]
)
answers = st.builds(
    lambda text, reasoning, made, usage: Said(text, reasoning, made, "tool_calls" if made else "stop", usage),
    texts,
    st.just("") | texts,
    calls,
    usages,
)


@over()
@OVER_CLIENTS
@promised(among=4)
@given(answers, st.lists(st.integers(min_value=0), max_size=20))
async def test_p8_a_stream_says_what_an_answer_says_wherever_its_bytes_are_cut(
    spoken: Spoken, client: Dialect, said: Said, places: list[int]
) -> None:
    whole = await heard(spoken, client, said, None)
    assert whole == expected(spoken, said)
    assert await heard(spoken, client, said, places) == whole


@over()
@OVER_CLIENTS
async def test_p8_a_stream_may_be_cut_at_every_byte(spoken: Spoken, client: Dialect) -> None:
    made = [Call("call00001", "w", {"city": "Röm 🙂", "n": [1, {"x": None}]}), Call("call00002", "now", {})]
    said = Said("ä🙂", "hm…", made, "tool_calls", Usage(30, 20, 50, 7, 9))
    size = len(b"".join(spoken.api.stream(said).whole))
    assert await heard(spoken, client, said, range(size)) == expected(spoken, said)


@over()
@OVER_CLIENTS
@pytest.mark.parametrize("finish", ["stop", "length", "content_filter"])
@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
async def test_every_reason_to_stop_has_the_clients_word(
    spoken: Spoken, client: Dialect, finish: str, stream: bool
) -> None:
    if finish in spoken.unsaid:
        finish = "stop"
    said = replace(Said(), finish=finish)
    assert (await heard(spoken, client, said, () if stream else None)).finish == finish
