"""What of a request the model reads as text, and what it adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Request
from sentinel_core.tokens import IMAGE_TOKENS, held, images, is_image

PER_MESSAGE = 3
PER_NAME = 1
REPLY_BEGINS = 3
"""Tokens around messages, and those that begin the answer: OpenAI's cookbook, "How to count tokens with tiktoken"
(https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken)."""

_PLAIN = frozenset({"role", "content", "name"})
_SHOWN_AS_JSON = ("tools", "functions", "response_format", "documents")
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Prompt:
    """Texts to count, tokens beside them, and whether that is all: how a model is shown tools is not published."""

    texts: list[str] = field(default_factory=list)
    tokens: int = 0
    exact: bool = True

    def rough(self, value: JsonValue) -> None:
        """What reaches the model in a form that nobody knows: counted as its JSON."""
        self.texts.append(_encode(value).decode())
        self.exact = False


def prompt_of(request: Request) -> Prompt:
    """What there is to count in a request of any dialect."""
    body, prompt = request.body, Prompt()
    for name in _SHOWN_AS_JSON:
        if body.get(name):
            prompt.rough(body[name])
    for part in ("system", "instructions"):
        if body.get(part):
            _content(body[part], prompt)
    turns = body.get("messages")
    if isinstance(turns, list):
        _messages(turns, prompt)
    for part in ("prompt", "input", "suffix"):
        if body.get(part) is not None:
            _input(body[part], prompt)
    pictures = images(body)
    if pictures:
        prompt.tokens += IMAGE_TOKENS * pictures
        prompt.exact = False
    return prompt


def _messages(turns: list[JsonValue], prompt: Prompt) -> None:
    prompt.tokens += REPLY_BEGINS
    for turn in turns:
        prompt.tokens += PER_MESSAGE
        if not isinstance(turn, Mapping):
            prompt.rough(turn)
            continue
        prompt.texts.append(str(turn.get("role", "")))
        if turn.get("name"):
            prompt.tokens += PER_NAME
            prompt.texts.append(str(turn["name"]))
        _content(turn.get("content"), prompt)
        rest = {key: value for key, value in turn.items() if key not in _PLAIN and value}
        if rest:
            prompt.rough(rest)


def _content(content: JsonValue, prompt: Prompt) -> None:
    if isinstance(content, str):
        prompt.texts.append(content)
    elif isinstance(content, list):
        for part in content:
            _part(part, prompt)
    elif content is not None:
        _part(content, prompt)


def _part(part: JsonValue, prompt: Prompt) -> None:
    """One part. An image is counted as what it is, not as its letters, also in the result of a tool."""
    if not isinstance(part, Mapping):
        prompt.rough(part)
    elif is_image(part):
        return
    elif isinstance(part.get("text"), str):
        prompt.texts.append(part["text"])
    else:
        inside = held(part)
        prompt.rough({name: value for name, value in part.items() if name not in inside})
        for value in inside.values():
            _content(value, prompt)


def _input(value: JsonValue, prompt: Prompt) -> None:
    """Text, a list of texts, tokens, lists of tokens; or the turns of a Responses request."""
    if isinstance(value, str):
        prompt.texts.append(value)
        return
    for item in value if isinstance(value, list) else ():
        if isinstance(item, int):
            prompt.tokens += 1
        elif isinstance(item, str):
            prompt.texts.append(item)
        elif isinstance(item, list):
            prompt.tokens += len(item)
        elif isinstance(item, Mapping) and "content" in item:
            _messages([item], prompt)
        else:
            _part(item, prompt)
