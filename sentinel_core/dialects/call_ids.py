"""Ids of tool calls that the gateway makes: for a call without one, and where an API does not take the one it has."""

from __future__ import annotations

import re
from hashlib import blake2b


def made_of(text: str) -> str:
    """The id that this text stands for, the same in every turn. It is as long as OpenAI takes one, and has only letters
    that Anthropic takes."""
    return f"toolu_{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=12).hexdigest()}"


def fitting(identifier: str, form: re.Pattern[str]) -> str:
    """The id itself where it has the form, else one that is made of it: a call and its result stay together."""
    return identifier if form.fullmatch(identifier) else made_of(identifier)
