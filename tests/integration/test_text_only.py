"""The stage of the how-to on completions and embeddings: token numbers are refused, text passes."""

from __future__ import annotations

import pytest

from sentinel_core import Gateway, Refusal, Registry, Stage, hookimpl
from sentinel_core.config import settings_from
from sentinel_core.context import Context
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.json_types import JsonValue


class TextOnly(Stage):
    """Refuses prompts and inputs that are token numbers, which no guard can read."""

    name = "text_only"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Refuse what holds a number where text belongs."""
        for name in ("prompt", "input"):
            value = ctx.request.body.get(name)
            if isinstance(value, list) and not all(isinstance(item, str) for item in value):
                raise Refusal("invalid_parameter", f"Send {name!r} as text.", param=name)


def gateway() -> Gateway:
    registry = Registry()
    registry.register(TextOnly)
    tables = {"providers": {"echo": {}}, "stages": {"text_only": {}}, "chain": {"stages": ["text_only"]}}
    return Gateway(settings_from(tables), registry=registry)


@pytest.mark.parametrize("tokens", [[1, 2], [[1], [2]]])
async def test_token_numbers_are_refused(tokens: JsonValue) -> None:
    async with gateway() as live:
        with pytest.raises(Refusal, match="'prompt' as text"):
            await live.complete({"prompt": tokens}, dialect=OPENAI_COMPLETIONS)
        with pytest.raises(Refusal, match="'input' as text"):
            await live.complete({"input": tokens}, dialect=OPENAI_EMBEDDINGS)


async def test_text_passes() -> None:
    async with gateway() as live:
        answer = await live.complete({"prompt": ["a", "b"]}, dialect=OPENAI_COMPLETIONS)
        vectors = await live.complete({"input": "a", "dimensions": 2}, dialect=OPENAI_EMBEDDINGS)
    assert [choice["text"] for choice in answer.body["choices"]] == ["a", "b"]
    assert len(vectors.body["data"]) == 1
