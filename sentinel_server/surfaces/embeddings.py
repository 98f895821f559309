"""`POST /v1/embeddings`.

Requests and replies are lossless, so these types describe what Sentinel looks at; they decode nothing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_server.openapi import Operation
from sentinel_server.surfaces.dialect import Surface


class EmbeddingRequest(msgspec.Struct):
    """The members that Sentinel looks at; all others are passed on as they are. An input of numbers is tokens."""

    input: str | list[str | int | list[int]]
    model: str | None = None
    encoding_format: str | None = None
    dimensions: int | None = None


class Embedding(msgspec.Struct):
    """One vector: numbers, or with `encoding_format: base64` little-endian float32 in base64."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingUsage(msgspec.Struct):
    """Token counts as the provider reported them."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingResponse(msgspec.Struct):
    """The provider's answer, as it came."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage | None = None


SURFACE = Surface(
    OPENAI_EMBEDDINGS,
    Operation(
        method="POST",
        path="/v1/embeddings",
        request=EmbeddingRequest,
        response=EmbeddingResponse,
        summary="A vector for each input",
        tags=("embeddings",),
    ),
)
