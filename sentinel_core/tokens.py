"""How many tokens a request and an answer have: the service `tokens`, and the bound that needs none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from sentinel_core.messages import Request

IMAGE_TOKENS = 1_445
"""What one image counts: 85, and 170 for each of the 8 tiles of the largest one in high detail (GPT-4o's rule,
https://platform.openai.com/docs/guides/images-vision)."""

BYTES_OF_A_TOKEN = 4
"""Of English text, on average; the rule of thumb where nobody counts."""

_IMAGES = frozenset({"image_url", "input_image", "image"})
_encode = msgspec.json.Encoder().encode


class Count(NamedTuple):
    """Tokens, and whether this is how the model itself counts them; else it is an estimate."""

    tokens: int
    exact: bool


class Tokens(Protocol):
    """The service `tokens`. Counts on the loop only what takes a millisecond at most."""

    async def prompt(self, request: Request, model: str) -> Count:
        """Tokens of what a request asks the model: messages, tools, inputs."""
        ...

    async def text(self, text: str, model: str) -> Count:
        """Tokens of one text, such as an answer's."""
        ...


class RoughTokens:
    """`Tokens` by the number of bytes, for where no plugin counts: always an estimate."""

    async def prompt(self, request: Request, model: str) -> Count:
        """A quarter of the bytes of the body."""
        return Count(-(-upper_bound(request) // BYTES_OF_A_TOKEN), False)

    async def text(self, text: str, model: str) -> Count:
        """A quarter of the bytes."""
        return Count(-(-len(text.encode("utf-8", "replace")) // BYTES_OF_A_TOKEN), False)


def upper_bound(request: Request) -> int:
    """More tokens than any tokenizer finds in a request: its bytes, for no token is shorter than one.

    The JSON around a text is longer than what a model reads around it. Images count `IMAGE_TOKENS` each, beside their
    bytes. What is only named, such as an uploaded file, is not counted: nobody here knows how long it is.
    """
    encoded = _encode(request.body)
    pictures = len(images(request.body)) if encoded.find(b"image") >= 0 else 0
    return len(encoded) + IMAGE_TOKENS * pictures


def images(body: Mapping[str, Any]) -> Sequence[Any]:  # JSON
    """The parts of the messages that are images."""
    found: list[Any] = []
    for name in ("messages", "input"):
        turns = body.get(name)
        if not isinstance(turns, list):
            continue
        for turn in turns:
            if isinstance(turn, dict) and isinstance(content := turn.get("content"), list):
                found += [part for part in content if isinstance(part, dict) and part.get("type") in _IMAGES]
    return found


def output_cap(request: Request) -> int | None:
    """The most tokens of answer that a request allows, all its choices together; None where it sets no cap.

    Of several caps the highest: which of them binds is up to whoever answers.
    """
    if request.operation in ("embedding", "count_tokens"):
        return 0
    body, cap = request.body, None
    for key in request.dialect.request_fields.output_caps:
        if key in body and type(found := body[key]) is int and found >= 0 and (cap is None or found > cap):
            cap = found
    return None if cap is None else cap * choices(request)


def choices(request: Request) -> int:
    """How many answers are asked for: `n`, or `best_of` where that is more, for each prompt of a list."""
    body, most = request.body, 1
    for key in request.dialect.request_fields.choices:
        if key in body and type(asked := body[key]) is int and asked > most:
            most = asked
    if request.operation != "completion":
        return most
    prompts = body.get("prompt")
    return most * len(prompts) if isinstance(prompts, list) and prompts and not isinstance(prompts[0], int) else most
