"""The ways to ask: every test here runs over every API (`spoken`), and over these where it names them."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT


@pytest.fixture(params=[False, True], ids=["unary", "stream"])
def stream(request: pytest.FixtureRequest) -> bool:
    """Whether a stream is asked for."""
    asked: bool = request.param
    return asked


@pytest.fixture(params=[OPENAI_CHAT, ANTHROPIC_MESSAGES], ids=["for_openai", "for_anthropic"])
def client(request: pytest.FixtureRequest) -> Dialect:
    """The dialect of whoever asks."""
    dialect: Dialect = request.param
    return dialect
