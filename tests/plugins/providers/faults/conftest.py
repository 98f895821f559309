"""The ways to ask: every test here runs over every API (`spoken`), and over these where it names them."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from tests.long_form import LONG_FORM


@pytest.fixture(params=[False, True], ids=["unary", "stream"])
def stream(request: pytest.FixtureRequest) -> bool:
    """Whether a stream is asked for."""
    asked: bool = request.param
    return asked


CLIENTS = [pytest.param(OPENAI_CHAT, id="for_openai")]
if LONG_FORM:
    CLIENTS.append(pytest.param(ANTHROPIC_MESSAGES, id="for_anthropic"))


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Dialect:
    """The dialect of whoever asks: OpenAI's, and in the long form Anthropic's too."""
    dialect: Dialect = request.param
    return dialect
