"""There: an upstream of any API is asked what the client asked, and what cannot be told is named."""

from __future__ import annotations

import pytest
from hypothesis import given

from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.json_types import JsonObject
from sentinel_core.keys import Target
from sentinel_core.messages import Answer
from tests.core.dialects.pairs.conversations import CLIENTS, body_by, chats, parameters_of, request_of, turns_of
from tests.plugins.providers.calls import Nobody
from tests.plugins.providers.fed import Fed
from tests.plugins.providers.spoken import provider_at
from tests.properties import promised
from tests.upstream.api import Said
from tests.upstream.apis import Spoken, over
from tests.upstream.payloads import encoded

OVER_CLIENTS = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)


async def asked(spoken: Spoken, client: Dialect, body: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
    """What the upstream understands of a client's request, and the names of what it was not told."""
    fed = Fed([encoded(spoken.api.answer(Said()))])
    request = request_of(client, body)
    async with provider_at(spoken, "http://upstream.test", pools=fed) as provider:
        reply = await provider.call(Call(request, Target("up", "m"), Nobody(), attempt=1))
    assert isinstance(reply, Answer)
    return spoken.api.conversation(fed.sent), reply.dropped


@over()
@OVER_CLIENTS
@promised(among=4)
@given(chats())
async def test_p8_the_upstream_understands_what_the_client_asked(
    spoken: Spoken, client: Dialect, chat: JsonObject
) -> None:
    if client is OPENAI_RESPONSES:
        chat = {key: value for key, value in chat.items() if key != "stop"}
    understood, dropped = await asked(spoken, client, body_by(client, chat))
    assert turns_of(understood) in (turns_of(chat), turns_of(chat, "\n")), "an API of plain texts joins parts by lines"
    wanted, told = parameters_of(chat), parameters_of(understood)
    assert {name for name in wanted if told.get(name) != wanted[name]} <= {*dropped}
    assert told.keys() <= wanted.keys()
