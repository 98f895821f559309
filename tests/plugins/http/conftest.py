"""Both ways to a response: the short one, with the version of aiohttp that it knows, and the session's. And both of its
parsers, for tests that ask for them."""

from __future__ import annotations

import pytest
from aiohttp import http_parser

from sentinel_plugins.http import short_way

WAYS = {"short way": True, "session": False} if short_way.KNOWN else {"session": False}

PARSERS = {"c": http_parser.HttpResponseParser, "python": http_parser.HttpResponseParserPy}


@pytest.fixture(autouse=True, params=list(WAYS.values()), ids=list(WAYS))
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send every request of these tests this way."""
    monkeypatch.setattr(short_way, "KNOWN", request.param)


@pytest.fixture(params=list(PARSERS.values()), ids=list(PARSERS))
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read every answer of the test with this parser."""
    monkeypatch.setattr("aiohttp.client_proto.HttpResponseParser", request.param)
