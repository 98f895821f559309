"""Prompts and answers counted: exact where the rules are known, labelled where they are not, never above the bound."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Request
from sentinel_core.model_facts import ModelFacts
from sentinel_core.tokens import (
    IMAGE_TOKENS,
    MOST_IMAGE_TOKENS,
    Count,
    PromptSize,
    RoughTokens,
    choices,
    images,
    output_cap,
    size_of,
)
from sentinel_plugins.tokens import counter, pieces
from sentinel_plugins.tokens.counter import ON_THE_LOOP_CHARS, WORTH_CHARS, TiktokenCounter
from sentinel_plugins.tokens.encodings import Name
from sentinel_plugins.tokens.encodings import load as encoding
from sentinel_plugins.tokens.pieces import PIECE
from tests.properties import promised

TOKENS = TiktokenCounter()

# The example of OpenAI's cookbook, with what the API itself billed for it.
_SAID = (
    ("", "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."),
    ("example_user", "New synergies will help drive top-line growth."),
    ("example_assistant", "Things working well together will increase revenue."),
    (
        "example_user",
        "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    ),
    ("example_assistant", "Let's talk later when we're less busy about how to do better."),
)
EXAMPLE = [
    *({"role": "system", "content": text, **({"name": name} if name else {})} for name, text in _SAID),
    {
        "role": "user",
        "content": "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
]


async def counted(dialect: Dialect, model: str = "gpt-4o", **body: JsonValue) -> Count:
    return await TOKENS.prompt(dialect.decode_request({"model": model, **body}), model)


def chat(*texts: str) -> Request:
    turns = [{"role": "user", "content": text} for text in texts]
    return OPENAI_CHAT.decode_request({"model": "m", "messages": turns})


async def test_s1_27_a_prompt_has_the_tokens_that_openai_bills() -> None:
    assert await counted(OPENAI_CHAT, "gpt-4", messages=EXAMPLE) == Count(129, True)
    assert await counted(OPENAI_CHAT, "gpt-4o", messages=EXAMPLE) == Count(124, True)


async def test_other_models_tools_and_images_are_estimates_that_say_so() -> None:
    hello = {"role": "user", "content": "Hello"}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9000}}
    plain = await counted(OPENAI_CHAT, messages=[hello])
    shown = await counted(
        OPENAI_CHAT, messages=[{"role": "user", "content": [{"type": "text", "text": "Hello"}, picture]}]
    )
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    assert plain == Count(8, True)
    assert shown == Count(8 + IMAGE_TOKENS, False), "an image is not counted as its letters"
    assert not (await counted(OPENAI_CHAT, messages=[hello], tools=[tool])).exact
    assert not (await counted(OPENAI_CHAT, "claude-opus-5", messages=[hello])).exact
    claude = await counted(ANTHROPIC_MESSAGES, "claude-opus-5", max_tokens=5, system="Be brief.", messages=[hello])
    assert (claude.tokens > plain.tokens, claude.exact) == (True, False)


async def test_completions_and_embeddings_count_texts_and_tokens() -> None:
    small = "text-embedding-3-small"
    assert await counted(OPENAI_EMBEDDINGS, small, input=["Hello", "Hello"]) == Count(2, True)
    assert await counted(OPENAI_EMBEDDINGS, small, input=[[1, 2], [3]]) == Count(3, True)
    assert await counted(OPENAI_COMPLETIONS, "gpt-3.5-turbo-instruct", prompt=[5, 6, 7]) == Count(3, True)


async def test_l08_a_large_text_is_counted_off_the_loop() -> None:
    await TOKENS.text("warm", "gpt-4o")
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    count = await TOKENS.text("word " * ON_THE_LOOP_CHARS, "gpt-4o")
    heart.cancel()
    await asyncio.wait([heart])
    assert count.tokens == ON_THE_LOOP_CHARS + 1
    assert beats > 1


async def test_who_leaves_ends_the_counting_of_a_long_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    await TOKENS.text("warm", "gpt-4o")
    begun, ended = threading.Semaphore(0), threading.Event()
    several = pieces.pieces

    def noted(text: str) -> Iterator[pieces.Piece]:
        try:
            for piece in several(text):
                begun.release()
                yield piece
        finally:
            ended.set()

    monkeypatch.setattr(counter, "pieces", noted)
    counting = asyncio.create_task(TOKENS.text("x" * 100 * PIECE, "gpt-4o"))
    await asyncio.to_thread(begun.acquire)
    counting.cancel()
    await asyncio.wait([counting])
    assert await asyncio.to_thread(ended.wait, 30.0)
    assert begun._value < 100


async def test_a_long_text_of_words_has_the_tokens_of_the_whole_and_one_without_words_is_an_estimate() -> None:
    words = " ".join(f"word{number % 7} and, more; of [them]" for number in range(3 * PIECE // 25))
    whole = len(encoding("o200k_base").encode_ordinary(words))
    assert await TOKENS.text(words, "gpt-4o") == Count(whole, True)
    assert not (await TOKENS.text("7" * 2 * PIECE, "gpt-4o")).exact


@given(st.text(st.sampled_from("ab \n\t1.,é号'"), max_size=60), st.integers(2, 12))
@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_pieces_are_the_text_and_have_its_tokens(name: Name, text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pieces, "PIECE", size)
        found = [*pieces.pieces(text)]
    assert "".join(piece.text for piece in found) == text
    assert all(len(piece.text) <= size for piece in found)
    if all(piece.exact for piece in found):
        encode = encoding(name).encode_ordinary
        assert [token for piece in found for token in encode(piece.text)] == encode(text)


async def test_a_text_is_counted_once_by_each_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[str] = []
    count = counter._tokens

    def noted(encoding: Any, texts: Sequence[str]) -> list[int]:  # as tiktoken types it
        counts.extend(texts)
        return count(encoding, texts)

    monkeypatch.setattr(counter, "_tokens", noted)
    tokens = TiktokenCounter()
    first, second = "the first turn of many " * 10, "and the second one " * 10
    once = await tokens.text(first, "gpt-4o")
    assert await tokens.text(first, "gpt-4o") == once
    both = await tokens.prompt(chat(first, second), "gpt-4o")
    assert [text for text in counts if len(text) >= WORTH_CHARS] == [first, second]
    assert both == await TiktokenCounter().prompt(chat(first, second), "gpt-4o")
    assert await tokens.text(first, "gpt-4") == await TiktokenCounter().text(first, "gpt-4")


async def test_what_was_counted_is_not_kept() -> None:
    tokens = TiktokenCounter()
    text = "".join(["a text ", "of its own "] * 20)
    await tokens.text(text, "gpt-4o")
    found: list[JsonValue] = [tokens]
    for one in found:  # which grows by what each of them holds
        found += [held for held in gc.get_referents(one) if not isinstance(one, type)]
        assert len(found) < 10_000
    assert any(isinstance(one, bytes) for one in found), "it was followed to the hashes"
    assert text not in [one for one in found if isinstance(one, str)]


@given(st.lists(st.text(max_size=100) | st.text(min_size=60, max_size=70), max_size=6), st.data())
def test_known_texts_change_no_count(texts: list[str], data: st.DataObject) -> None:
    tokens = TiktokenCounter()
    for text in texts and data.draw(st.lists(st.sampled_from(texts), max_size=3)):
        asyncio.run(tokens.text(text, "gpt-4o"))
    found = asyncio.run(tokens.prompt(chat(*texts), "gpt-4o")) if texts else None
    assert found == (asyncio.run(TiktokenCounter().prompt(chat(*texts), "gpt-4o")) if texts else None)


messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": st.text(max_size=60)})
)


@promised()
@given(messages.filter(bool), st.sampled_from(["gpt-4o", "gpt-4"]))
def test_p3_no_prompt_has_more_tokens_than_its_upper_bound(turns: list[dict[str, str]], model: str) -> None:
    request = OPENAI_CHAT.decode_request({"model": model, "messages": turns})
    bound = size_of(request).upper_bound(None)
    assert bound is not None
    assert asyncio.run(TOKENS.prompt(request, model)).tokens <= bound


def test_no_cap_of_the_answer_changes_how_large_a_prompt_is() -> None:
    sizes = {
        size_of(OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user", "content": "x"}], **caps}))
        for caps in ({}, {"max_tokens": 1}, {"max_tokens": 10_000}, {"max_completion_tokens": 7, "max_tokens": 99})
    }
    assert len(sizes) == 1


PICTURE = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
CLAUDES = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 9_000}}
SHOWN = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 9_000}


def said(*parts: JsonValue) -> list[JsonValue]:
    return [{"role": "user", "content": list(parts)}]


def results(*parts: JsonValue) -> JsonObject:
    return {"type": "tool_result", "tool_use_id": "t1", "content": list(parts)}


TEXT = {"type": "text", "text": "see"}
PLACES = [
    (OPENAI_CHAT, {"messages": said(TEXT, PICTURE, PICTURE)}, 2),
    (OPENAI_CHAT, {"messages": [*said(TEXT), {"role": "tool", "tool_call_id": "c", "content": [PICTURE]}]}, 1),
    (ANTHROPIC_MESSAGES, {"max_tokens": 9, "messages": said(CLAUDES, results(TEXT, CLAUDES), results(CLAUDES))}, 3),
    (
        ANTHROPIC_MESSAGES,
        {
            "max_tokens": 9,
            "messages": said({"type": "document", "source": {"type": "content", "content": [TEXT, CLAUDES]}}),
        },
        1,
    ),
    (
        OPENAI_RESPONSES,
        {"input": [{"type": "function_call_output", "call_id": "c", "output": [SHOWN]}, *said(SHOWN)]},
        2,
    ),
    (
        OPENAI_RESPONSES,
        {
            "input": [
                {
                    "type": "computer_call_output",
                    "call_id": "c",
                    "output": {"type": "computer_screenshot", "file_id": "file-1"},
                }
            ]
        },
        1,
    ),
    (OPENAI_CHAT, {"messages": said({"type": "text", "text": "an image_url"})}, 0),
    (OPENAI_CHAT, {"messages": said({"type": ["image"], "text": "x"})}, 0),
]


@pytest.mark.parametrize(("dialect", "body", "count"), PLACES)
async def test_images_count_wherever_they_stand_and_never_as_letters(
    dialect: Dialect, body: JsonObject, count: int
) -> None:
    request = Request(dialect, {"model": "gpt-4o", **body}, dialect.operation, "gpt-4o")
    assert images(request.body) == size_of(request).images == count
    estimate = await TOKENS.prompt(request, "gpt-4o")
    assert 0 <= estimate.tokens - count * IMAGE_TOKENS < 100
    assert not (count and estimate.exact)


def test_an_image_counts_what_its_model_may_count_for_it_at_most() -> None:
    size = PromptSize(100, images=2)
    mini = ModelFacts(id="m", provider="p", image_tokens=48_169)
    assert size.upper_bound(mini) == 100 + 2 * 48_169
    assert size.upper_bound(ModelFacts(id="m", provider="p", image_tokens=1_445)) == 100 + 2 * 1_445
    nobody_knows = 100 + 2 * MOST_IMAGE_TOKENS
    assert size.upper_bound(None) == size.upper_bound(ModelFacts(id="m", provider="p")) == nobody_knows


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}, "input": None}, "prompt"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({}, None),
    ],
)
def test_what_a_provider_keeps_fills_at_most_the_context_window(fields: JsonObject, kept: str | None) -> None:
    body = {"model": "m", "input": "go on", **fields}
    size = size_of(Request(OPENAI_RESPONSES, body, "response", "m"))
    assert size.kept == kept
    bound = None if kept else size.bytes
    assert size.upper_bound(None) == size.upper_bound(ModelFacts(id="m", provider="p")) == bound
    window = ModelFacts(id="m", provider="p", context_window=128_000)
    assert size.upper_bound(window) == (128_000 if kept else size.bytes)
    assert PromptSize(500_000, kept=kept).upper_bound(window) == 500_000, "whatever the catalogue says"


@pytest.mark.parametrize(
    ("dialect", "body", "cap"),
    [
        (OPENAI_CHAT, {"messages": [], "max_tokens": 7}, 7),
        (OPENAI_CHAT, {"messages": [], "max_completion_tokens": 5, "n": 3}, 15),
        (OPENAI_CHAT, {"messages": [], "max_completion_tokens": 5, "max_tokens": 9}, 9),  # some upstreams read either
        (OPENAI_CHAT, {"messages": [], "max_completion_tokens": 9, "max_tokens": 5}, 9),
        (OPENAI_CHAT, {"messages": []}, None),
        (OPENAI_CHAT, {"messages": [], "max_output_tokens": 1, "best_of": 9}, None),  # no fields of this format
        (OPENAI_COMPLETIONS, {"prompt": ["a", "b"], "max_tokens": 4, "best_of": 2}, 16),
        (OPENAI_EMBEDDINGS, {"input": "x"}, 0),
    ],
)
def test_the_cap_of_an_answer_counts_every_choice(dialect: Dialect, body: JsonObject, cap: int | None) -> None:
    messages = {"messages": [{"role": "user", "content": "x"}]} if "messages" in body else {}
    request = dialect.decode_request({"model": "m", **body, **messages})
    assert output_cap(request, choices(request)) == cap


async def test_without_a_counter_bytes_make_an_estimate() -> None:
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user", "content": "x" * 400}]})
    assert await RoughTokens().prompt(request, "m") == Count(-(-size_of(request).bytes // 4), False)
    pictured = OPENAI_CHAT.decode_request({"model": "m", "messages": said(PICTURE)})
    assert (await RoughTokens().prompt(pictured, "m")).tokens > IMAGE_TOKENS
    assert await RoughTokens().text("four", "m") == Count(1, False)
