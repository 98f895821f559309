"""How many tokens a request and an answer have: the service `tokens`, and the bound that needs none."""

from __future__ import annotations

from typing import Protocol

import msgspec

from sentinel_core.dialects.translation import kept_elsewhere
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Request
from sentinel_core.model_facts import ModelFacts

IMAGE_TOKENS = 1_445
"""What one image counts in an estimate: 85, and 170 for each of the 8 tiles of the largest one in high detail (GPT-4o's
rule, https://platform.openai.com/docs/guides/images-vision)."""

MOST_IMAGE_TOKENS = 48_169
"""The most that an image is known to count with any model: 2,833, and 5,667 for each of 8 tiles (GPT-4o mini's rule, on
the same page). What bounds those of a model whose own `image_tokens` nobody knows."""

BYTES_OF_A_TOKEN = 4
"""Of English text, on average; the rule of thumb where nobody counts."""

_IMAGES = frozenset({"image_url", "input_image", "image", "image_generation_call", "computer_screenshot"})
_TURNS = ("messages", "input")
_INSIDE = ("content", "output", "source")
"""Where turns, results of tools and documents hold parts."""
_encode = msgspec.json.Encoder().encode


class Count(msgspec.Struct, frozen=True):
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
        """A quarter of the bytes of the body, and `IMAGE_TOKENS` for each image."""
        size = size_of(request)
        return Count(-(-size.bytes // BYTES_OF_A_TOKEN) + size.images * IMAGE_TOKENS, False)

    async def text(self, text: str, model: str) -> Count:
        """A quarter of the bytes."""
        return Count(-(-len(text.encode("utf-8", "replace")) // BYTES_OF_A_TOKEN), False)


class PromptSize(msgspec.Struct, frozen=True):
    """The bytes of a body without its caps, which no model reads, how many images it has, and the parameter that names
    something which its provider keeps, if there is one."""

    bytes: int
    images: int = 0
    kept: str | None = None

    def upper_bound(self, facts: ModelFacts | None) -> int | None:
        """More tokens than any tokenizer finds in the prompt: its bytes, for no token is shorter than one.

        The JSON around a text is longer than what a model reads around it. Images count the most that one may with this
        model, beside their bytes. What the provider keeps fills no more than the model's context window; None where
        nobody knows that. Files that are only named are not counted.
        """
        known = self.bytes
        if self.images:
            each = facts.image_tokens if facts is not None else None
            known += self.images * (MOST_IMAGE_TOKENS if each is None else each)
        if self.kept is None:
            return known
        window = facts.context_window if facts is not None else None
        return None if window is None else max(known, window)


def size_of(request: Request) -> PromptSize:
    """How large the prompt of a request is, in any dialect."""
    body = request.body
    encoded = _encode(body)
    size = len(encoded)
    for name in request.dialect.request_fields.output_caps:
        if name in body and type(cap := body[name]) is int:
            size -= len(f'"{name}":{cap},')
    # Most are not looked through. Types of images have one word in common, but for one of Responses.
    pictures = images(body) if b"image" in encoded or ("input" in body and b"screenshot" in encoded) else 0
    return PromptSize(size, pictures, kept_elsewhere(request))


def images(body: JsonMapping) -> int:
    """How many parts of messages and items are images, those in results of tools among them."""
    found = 0
    waiting: list[list[JsonValue]] = [turns for name in _TURNS if isinstance(turns := body.get(name), list)]
    while waiting:
        for part in waiting.pop():
            if part.__class__ is not dict:
                continue
            if "type" in part and is_image(part):
                found += 1
                continue
            for name in _INSIDE:
                inside = part.get(name)
                if inside.__class__ is list:
                    waiting.append(inside)
                elif inside.__class__ is dict:
                    waiting.append([inside])
    return found


def is_image(part: JsonMapping) -> bool:
    """Whether a part is an image, whole or by its address."""
    return isinstance(kind := part.get("type"), str) and kind in _IMAGES


def held(part: JsonMapping) -> JsonObject:
    """The parts that a turn, a result of a tool or a document holds."""
    return {name: value for name in _INSIDE if isinstance(value := part.get(name), list | dict)}


def output_cap(request: Request, answers: int) -> int | None:
    """The most tokens that a request allows to so many answers together (`choices`); None where it sets no cap.

    Of several caps the highest: which of them binds is up to whoever answers.
    """
    if request.operation in ("embedding", "count_tokens"):
        return 0
    body, cap = request.body, None
    for key in request.dialect.request_fields.output_caps:
        if key in body and type(found := body[key]) is int and found >= 0 and (cap is None or found > cap):
            cap = found
    return None if cap is None else cap * answers


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
