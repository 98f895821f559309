"""The encodings on board are OpenAI's, byte for byte, and nothing is fetched to use them."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import socket
from collections.abc import Callable
from typing import Any

import pytest

from sentinel_plugins.tokens.encodings import DATA, RECIPES, Name, encoding_of, load, ranks
from tests.long_form import long_form

public = importlib.import_module("tiktoken_ext.openai_public")  # it has no types


@long_form
@pytest.mark.parametrize("name", RECIPES)
def test_s1_26_an_encoding_is_what_tiktoken_would_download(name: Name, monkeypatch: pytest.MonkeyPatch) -> None:
    expected: dict[str, str] = {}

    def on_board(url: str, expected_hash: str) -> dict[bytes, int]:
        expected[url.rsplit("/", 1)[-1]] = expected_hash
        return ranks(name)

    monkeypatch.setattr(public, "load_tiktoken_bpe", on_board)
    maker: Callable[[], dict[str, Any]] = getattr(public, name)  # Any: tiktoken's own shape
    made = maker()
    content = gzip.decompress((DATA / f"{name}.tiktoken.gz").read_bytes())
    assert expected == {f"{name}.tiktoken": hashlib.sha256(content).hexdigest()}
    assert (made["pat_str"], made["special_tokens"]) == RECIPES[name]
    assert made["mergeable_ranks"] == ranks(name)


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        ("o200k_base", "tiktoken is great!", 6),
        ("cl100k_base", "tiktoken is great!", 6),
        ("o200k_base", "お誕生日おめでとう", 8),
        ("cl100k_base", "お誕生日おめでとう", 9),
        ("o200k_base", "<|endoftext|>", 7),
    ],
)
def test_texts_have_the_tokens_that_the_cookbook_says(
    name: Name, text: str, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    assert len(load(name).encode_ordinary(text)) == tokens


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o-mini", ("o200k_base", True)),
        ("gpt-4-turbo", ("cl100k_base", True)),
        ("text-embedding-3-small", ("cl100k_base", True)),
        ("openai/gpt-oss-120b", ("o200k_base", True)),
        ("gpt-5.6-luna", ("o200k_base", True)),
        ("claude-opus-5", ("o200k_base", False)),
        ("text-davinci-003", ("o200k_base", False)),
        ("", ("o200k_base", False)),
    ],
)
def test_a_model_nobody_knows_is_counted_with_the_newest_encoding_and_says_so(
    model: str, encoding: tuple[str, bool]
) -> None:
    assert encoding_of(model) == encoding
