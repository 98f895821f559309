"""Completions, embeddings and responses over real sockets: official clients, guards, and models that cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx
import openai
import pytest

from sentinel_core import Stage, hookimpl
from sentinel_core.config import settings_from
from sentinel_core.context import Context
from sentinel_core.events import Event, Opaque, TextEvent
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer, Path, TextSlot
from sentinel_core.registry import Registry
from sentinel_core.testing import FakeProvider
from sentinel_server.app import asgi
from tests.server.gateway_fixture import chat_server
from tests.server.serving import RUNNERS, serving
from tests.upstream import Close, Reply, Stream, Upstream
from tests.upstream.payloads import embeddings, response, response_stream, text_completion, text_stream

pytestmark = pytest.mark.parametrize("runner", RUNNERS)


def masked(slots: tuple[TextSlot, ...]) -> Mapping[Path, str]:
    return {slot.path: slot.text.replace("secret", "***") for slot in slots if "secret" in slot.text}


class StreamMask(Stage):
    """A guard that wrote `on_request` and `on_stream`; whole answers are the chain's business."""

    name = "stream_mask"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Mask what goes to the model."""
        ctx.request = ctx.request.with_texts(masked(ctx.request.texts()))

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Mask words; they never straddle events here."""
        async for event in events:
            if isinstance(event, TextEvent):
                yield event.with_text(event.text.replace("secret", "***"))
            else:
                yield event.with_texts(masked(event.texts())) if isinstance(event, Opaque) else event


class AnswerMask(Stage):
    """A guard that wrote `on_request` and `on_response`; streams are the chain's business."""

    name = "answer_mask"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Mask what goes to the model."""
        ctx.request = ctx.request.with_texts(masked(ctx.request.texts()))

    @hookimpl
    def on_response(self, answer: Answer) -> Answer:
        """Mask what comes back."""
        return answer.with_texts(masked(answer.texts()))


MASKS = pytest.mark.parametrize("mask", [StreamMask, AnswerMask])


def sdk(url: str) -> openai.AsyncOpenAI:
    """A client that does not retry."""
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-own", max_retries=0)


async def test_s1_03_a_completion(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Reply(text_completion("there")))
    async with chat_server(upstream, runner=runner) as (served, _), sdk(served.url) as client:
        answer = await client.completions.create(model="m", prompt=["hi", "ho"], max_tokens=5)
    assert (answer.object, answer.choices[0].text, answer.choices[0].finish_reason) == (
        "text_completion",
        "there",
        "stop",
    )
    assert upstream.requests[0].json == {"model": "m", "prompt": ["hi", "ho"], "max_tokens": 5}


async def test_s1_10_an_instruct_model_is_served_on_the_legacy_route(runner: str, upstream: Upstream) -> None:
    name = "gpt-3.5-turbo-instruct"
    upstream.script(name, Reply(text_completion("there", model=name)))
    async with chat_server(upstream, runner=runner, models=(name,)) as (served, _), sdk(served.url) as client:
        answer = await client.completions.create(model=name, prompt="hi", max_tokens=5)
    assert (answer.model, answer.choices[0].text) == (name, "there")


@pytest.mark.parametrize("asked", [True, False])
async def test_s1_08_a_streamed_completion_with_usage_for_whom_asks(
    runner: str, upstream: Upstream, asked: bool
) -> None:
    upstream.script("m", Stream(text_stream("one ", "two", usage=True)))
    options: JsonObject = {"stream_options": {"include_usage": True}} if asked else {}
    async with chat_server(upstream, runner=runner) as (served, _), sdk(served.url) as client:
        stream = await client.completions.create(model="m", prompt="hi", stream=True, **options)
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == "one two"
    assert {chunk.object for chunk in chunks} == {"text_completion"}
    assert [chunk.usage is not None for chunk in chunks] == [False] * 3 + [True] * asked
    assert upstream.requests[0].json["stream_options"] == {"include_usage": True}


async def test_u09_a_completion_stream_that_breaks_off_raises(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream([*text_stream("one", finish=None, done=False), Close()]))
    async with chat_server(upstream, runner=runner) as (served, _), sdk(served.url) as client:
        stream = await client.completions.create(model="m", prompt="hi", stream=True)
        with pytest.raises(openai.APIError) as caught:
            async for _ in stream:
                pass
    assert caught.value.code == "upstream_stream_interrupted"


@pytest.mark.parametrize(("encoding", "vector"), [("float", [1.0, 0.0]), ("base64", "AACAPwAAAAA=")])
async def test_embeddings(runner: str, upstream: Upstream, encoding: JsonValue, vector: JsonValue) -> None:
    upstream.script("m", Reply(embeddings(vector, vector)))
    async with chat_server(upstream, runner=runner) as (served, _), sdk(served.url) as client:
        answer = await client.embeddings.create(model="m", input=["a", "b"], dimensions=2, encoding_format=encoding)
    assert [item.embedding for item in answer.data] == [vector, vector]
    assert answer.usage.prompt_tokens == 3
    assert upstream.requests[0].json == {
        "model": "m",
        "input": ["a", "b"],
        "dimensions": 2,
        "encoding_format": encoding,
    }


async def test_embeddings_in_the_form_that_the_client_asks_for_by_itself(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Reply(embeddings("AACAPwAAAAA=")))
    async with chat_server(upstream, runner=runner) as (served, _), sdk(served.url) as client:
        answer = await client.embeddings.create(model="m", input=[1, 2])
    assert answer.data[0].embedding == [1.0, 0.0]
    assert upstream.requests[0].json["input"] == [1, 2]


@MASKS
async def test_a_guard_binds_on_a_completion_and_its_prompts(
    runner: str, upstream: Upstream, mask: type[Stage]
) -> None:
    upstream.script("m", Reply(text_completion("a secret")))
    async with chat_server(upstream, mask, runner=runner) as (served, _), sdk(served.url) as client:
        answer = await client.completions.create(model="m", prompt=["my secret", "hi"], suffix="secret")
    assert answer.choices[0].text == "a ***"
    assert upstream.requests[0].json == {"model": "m", "prompt": ["my ***", "hi"], "suffix": "***"}


@MASKS
async def test_a_guard_binds_on_a_streamed_completion(runner: str, upstream: Upstream, mask: type[Stage]) -> None:
    upstream.script("m", Stream(text_stream("a ", "secret", usage=True)))
    async with chat_server(upstream, mask, runner=runner) as (served, _), sdk(served.url) as client:
        stream = await client.completions.create(model="m", prompt="hi", stream=True)
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].text for chunk in chunks) == "a ***"
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_a_response(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Reply(response("there")))
    async with chat_server(upstream, runner=runner) as (served, _), sdk(served.url) as client:
        answer = await client.responses.create(model="m", input="hi", instructions="be kind")
    assert answer.output_text == "there"
    assert (upstream.requests[0].target, upstream.requests[0].json) == (
        "/v1/responses",
        {"model": "m", "input": "hi", "instructions": "be kind"},
    )


async def test_a_streamed_response(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream(response_stream("one ", "two")))
    async with (
        chat_server(upstream, runner=runner) as (served, _),
        sdk(served.url) as client,
        client.responses.stream(model="m", input="hi") as stream,
    ):
        text = "".join([event.delta async for event in stream if event.type == "response.output_text.delta"])
        final = await stream.get_final_response()
    assert (text, final.output_text, final.usage and final.usage.total_tokens) == ("one two", "one two", 5)


async def test_u09_a_streamed_response_that_breaks_off_raises(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream(response_stream("one ", end=False)))
    async with chat_server(upstream, runner=runner) as (served, _), sdk(served.url) as client:
        stream = await client.responses.create(model="m", input="hi", stream=True)
        with pytest.raises(openai.APIError) as caught:
            async for _ in stream:
                pass
    assert caught.value.code == "upstream_stream_interrupted"


@MASKS
async def test_a_guard_binds_on_a_response_and_its_input(runner: str, upstream: Upstream, mask: type[Stage]) -> None:
    upstream.script("m", Reply(response("a secret")))
    items: JsonValue = [{"role": "user", "content": [{"type": "input_text", "text": "my secret"}]}]
    async with chat_server(upstream, mask, runner=runner) as (served, _), sdk(served.url) as client:
        answer = await client.responses.create(model="m", input=items, instructions="secret")
    assert answer.output_text == "a ***"
    assert b"secret" not in upstream.requests[0].body


@MASKS
async def test_a_guard_binds_on_a_streamed_response_and_on_what_repeats_it(
    runner: str, upstream: Upstream, mask: type[Stage]
) -> None:
    upstream.script("m", Stream(response_stream("a ", "secret", " b")))
    body = {"model": "m", "input": "hi", "stream": True}
    async with chat_server(upstream, mask, runner=runner) as (served, _), httpx.AsyncClient() as client:
        answer = await client.post(f"{served.url}/v1/responses", json=body)
    assert "secret" not in answer.text
    whole = 4 + (mask is AnswerMask)  # in four copies; a checked text also leaves in one piece
    assert answer.text.count("a *** b") == whole
    assert "event: response.completed" in answer.text


@MASKS
async def test_a_guard_binds_on_the_inputs_of_embeddings(runner: str, upstream: Upstream, mask: type[Stage]) -> None:
    upstream.script("m", Reply({**embeddings([1.0]), "x_note": "a secret"}))
    async with chat_server(upstream, mask, runner=runner) as (served, _), sdk(served.url) as client:
        raw = await client.embeddings.with_raw_response.create(
            model="m", input=["my secret", "hi"], encoding_format="float"
        )
    assert upstream.requests[0].json["input"] == ["my ***", "hi"]
    assert raw.http_response.json()["x_note"] == "a ***"
    assert raw.parse().data[0].embedding == [1.0]


@MASKS
@pytest.mark.parametrize("route", ["completions", "embeddings", "responses"])
async def test_u18_an_upstreams_words_about_an_error_pass_the_guards_on_every_route(
    runner: str, upstream: Upstream, mask: type[Stage], route: str
) -> None:
    upstream.script("m", Reply({"error": {"message": "no secret please"}}, 400))
    body = {"model": "m", "prompt": "x", "input": "x"}
    async with chat_server(upstream, mask, runner=runner) as (served, _), httpx.AsyncClient() as client:
        answer = await client.post(f"{served.url}/v1/{route}", json=body)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "no *** please")


@pytest.mark.parametrize(("route", "word"), [("completions", "text completions"), ("embeddings", "embeddings")])
async def test_a_model_whose_provider_lacks_the_operation_is_refused_before_any_call(
    runner: str, route: str, word: str
) -> None:
    provider = FakeProvider()
    registry = Registry()
    registry.register(provider.kind())
    gateway = Gateway(settings_from({"providers": {"fake": {}}}), registry=registry)
    body = {"model": "fake", "prompt": "x", "input": "x"}
    async with gateway, serving(asgi(gateway), runner) as served, httpx.AsyncClient() as client:
        answer = await client.post(f"{served.url}/v1/{route}", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "unsupported_operation", "model")
    assert error["message"] == f"The model 'fake' does not support {word}."
    assert provider.calls == []


async def test_echo_serves_both_routes_without_a_key(runner: str) -> None:
    gateway = Gateway(settings_from({"providers": {"echo": {}}}))
    async with gateway, serving(asgi(gateway), runner) as served, sdk(served.url) as client:
        stream = await client.completions.create(model="echo", prompt="one two", stream=True)
        text = "".join([chunk.choices[0].text async for chunk in stream])
        vectors = await client.embeddings.create(model="echo", input=["a", "b", "a"], dimensions=8)
    assert text == "one two"
    first, second, third = (item.embedding for item in vectors.data)
    assert first == third != second
    assert sum(number * number for number in first) == pytest.approx(1)


async def test_the_document_describes_these_routes(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), httpx.AsyncClient() as client:
        document = (await client.get(f"{served.url}/openapi.json")).json()
    for path, request in (
        ("/v1/completions", "CompletionRequest"),
        ("/v1/embeddings", "EmbeddingRequest"),
        ("/v1/responses", "ResponseRequest"),
    ):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        assert content["schema"] == {"$ref": f"#/components/schemas/{request}"}
        assert request in document["components"]["schemas"]


async def test_the_document_says_what_the_server_asks_for_and_answers(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), httpx.AsyncClient() as client:
        document = (await client.get(f"{served.url}/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert schemas["MessagesRequest"]["required"] == ["messages", "max_tokens"]
    assert schemas["CountRequest"]["required"] == ["messages"]
    assert set(schemas["AnthropicErrorBody"]["properties"]) == {"type", "error", "request_id"}
    streaming = set()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            failed = operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"]
            assert failed.endswith("/AnthropicErrorBody" if path.startswith("/v1/messages") else "/ErrorBody")
            if "text/event-stream" in operation["responses"]["200"]["content"]:
                streaming.add(path)
    assert streaming == {"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"}
