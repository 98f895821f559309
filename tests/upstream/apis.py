"""Every API that a provider of the gateway calls: what the shared tests run over. One line adds one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import pytest

from tests.upstream.anthropic import ANTHROPIC
from tests.upstream.api import Api
from tests.upstream.cohere import COHERE
from tests.upstream.gemini import GEMINI
from tests.upstream.mistral import MISTRAL
from tests.upstream.ollama import OLLAMA
from tests.upstream.openai import OPENAI

End: TypeAlias = Literal["marker", "finish", "eof"]
"""What tells that a stream is over: a last event that says nothing else, the event of its finish reason, or nothing but
the end of the body."""


class Spoken(NamedTuple):
    """One API, and how a provider of it is told to call the scripted upstream.

    `base` is put after the upstream's root for `base_url`. `unsaid` names what the API has no words for: counts of
    a `Usage`, reasons to stop, and `zeros`, where it leaves out counts of 0.
    """

    api: Api
    base: str
    end: End = "marker"
    unsaid: frozenset[str] = frozenset()


APIS = (
    Spoken(OPENAI, "/v1"),
    Spoken(ANTHROPIC, "/v1"),
    Spoken(COHERE, "", "finish", frozenset({"reasoning_tokens", "content_filter"})),
    Spoken(OLLAMA, "", "finish", frozenset({"reasoning_tokens", "content_filter", "zeros"})),
    Spoken(GEMINI, "/v1", "eof"),
    Spoken(MISTRAL, "/v1", unsaid=frozenset({"reasoning_tokens"})),
)


def over(where: Callable[[Spoken], bool] = lambda spoken: True) -> pytest.MarkDecorator:
    """Runs a test over every API of which this holds, as its argument `spoken`."""
    return pytest.mark.parametrize("spoken", [pytest.param(each, id=each.api.name) for each in APIS if where(each)])
