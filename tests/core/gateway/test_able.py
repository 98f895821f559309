"""Which targets of a model can serve a request, and which of them first."""

from __future__ import annotations

import pytest

from sentinel_core import Gateway, Registry
from sentinel_core.config import settings_from
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import Refusal
from sentinel_core.gateway.able import able
from sentinel_core.json_types import JsonValue
from sentinel_core.keys import Target
from sentinel_core.messages import Operation
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.testing import FakeProvider

CHAT, NATIVE, VECTORS = (Target(name, "m") for name in ("chat", "native", "vectors"))


def provider(*operations: Operation) -> Provider:
    class Performing(Provider):
        def performs(self) -> frozenset[Operation]:
            return frozenset(operations)

    return Performing(ProviderConfig())


PROVIDERS = {
    "chat": provider("chat"),
    "native": provider("chat", "response"),
    "vectors": provider("embedding"),
}


def candidates(dialect: Dialect, *targets: Target, **fields: JsonValue) -> tuple[Target, ...]:
    messages = [{"role": "user", "content": "hi"}]
    request = dialect.decode_request({"model": "m", "input": "hi", "messages": messages, **fields})
    return able(request, targets, PROVIDERS)


def test_those_that_have_the_operation_come_first_and_those_that_lack_it_are_left_out() -> None:
    assert candidates(OPENAI_RESPONSES, VECTORS, CHAT, NATIVE) == (NATIVE, CHAT)
    assert candidates(OPENAI_CHAT, CHAT, VECTORS, NATIVE) == (CHAT, NATIVE)
    assert candidates(OPENAI_EMBEDDINGS, CHAT, VECTORS, NATIVE) == (VECTORS,)


def test_a_request_that_only_the_api_itself_can_follow_goes_nowhere_else() -> None:
    assert candidates(OPENAI_RESPONSES, CHAT, NATIVE, previous_response_id="r") == (NATIVE,)


def test_where_nobody_is_able_the_call_says_why() -> None:
    assert candidates(OPENAI_RESPONSES, VECTORS) == (VECTORS,)
    assert candidates(OPENAI_RESPONSES, CHAT, previous_response_id="r") == (CHAT,)
    assert candidates(OPENAI_EMBEDDINGS, CHAT, Target("gone", "m")) == (CHAT, Target("gone", "m"))
    assert candidates(OPENAI_CHAT) == ()


async def test_a_provider_of_chats_is_asked_for_a_chat_in_the_clients_own_dialect() -> None:
    fake = FakeProvider(("Hel", "lo"))
    registry = Registry()
    registry.register(fake.kind())
    async with Gateway(settings_from({"providers": {"fake": {}}}), registry=registry) as gateway:
        answer = await gateway.complete({"model": "fake", "input": "hi"}, dialect=OPENAI_RESPONSES)
        with pytest.raises(Refusal) as refused:
            await gateway.complete({"model": "fake", "input": "hi"}, dialect=OPENAI_EMBEDDINGS)
    assert answer.body["output"][0]["content"][0]["text"] == "Hello"
    (call,) = fake.calls
    assert (call.request.operation, call.request.dialect) == ("chat", OPENAI_RESPONSES)
    assert refused.value.code == "unsupported_operation"
