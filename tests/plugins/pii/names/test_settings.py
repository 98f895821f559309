"""What of a request a model reads for names and places: what is said, and no settings."""

from __future__ import annotations

import json
import re
from typing import ClassVar

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.messages import Operation
from sentinel_core.testing import FakeProvider, context
from tests.plugins.guarding.guards import PII, guards

NAMES: TomlTable = {**PII, "names": True, "places": True}


class Serving(FakeProvider):
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat", "completion", "embedding", "response"})


SETTINGS: TomlTable = {
    "stop": ["\\nBob:", "Paris"],
    "web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": "Paris"}}},
    "chat_template_kwargs": {"modes": ["Bob", "Paris"]},
}


async def test_settings_are_not_read_and_lose_what_was_found_elsewhere() -> None:
    async with guards(Serving(("hi",)), pii=NAMES) as chain:
        body = (await chain.ask("Hello", **SETTINGS)).sent[-1].request.body
        assert {name: body[name] for name in SETTINGS} == SETTINGS
        body = (await chain.ask("I am in Paris.", **SETTINGS)).sent[-1].request.body
        assert body["chat_template_kwargs"] == {"modes": ["Bob", "[LOCATION]"]}


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        (OPENAI_CHAT, {"messages": [{"role": "user", "name": "Ann Smith", "content": "hi"}]}),
        (OPENAI_CHAT, {"documents": [{"title": "Bob", "text": "In Paris."}]}),
        (OPENAI_CHAT, {"prediction": {"type": "content", "content": "In Paris."}}),
        (OPENAI_COMPLETIONS, {"prompt": ["Bob", "In Paris."], "suffix": "Bob"}),
        (OPENAI_EMBEDDINGS, {"input": ["Bob", "In Paris."]}),
        (OPENAI_RESPONSES, {"input": "In Paris.", "instructions": "I am Bob."}),
        (OPENAI_RESPONSES, {"prompt": {"id": "p", "variables": {"who": "Bob"}}}),
        (ANTHROPIC_MESSAGES, {"system": "I am Bob."}),
        (ANTHROPIC_MESSAGES, {"messages": [{"role": "user", "content": [{"type": "text", "text": "In Paris."}]}]}),
    ],
)
async def test_what_is_said_is_read_in_every_dialect(dialect: Dialect, field: JsonObject) -> None:
    required: JsonObject = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    if dialect not in (OPENAI_CHAT, ANTHROPIC_MESSAGES):
        required = {"model": "m", "prompt" if dialect is OPENAI_COMPLETIONS else "input": "hi"}
    async with guards(Serving(("hi",)), pii=NAMES) as chain:
        asked = context()
        asked.request = dialect.decode_request({**required, **field})
        driven = await chain.asked(asked)
        said = json.dumps(driven.sent[-1].request.body)
        assert re.search("Ann|Bob|Paris", said) is None
