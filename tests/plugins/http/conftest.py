"""Both ways to a response: the short one, with the version of aiohttp that it knows, and the session's."""

from __future__ import annotations

import pytest

from sentinel_plugins.http import short_way

WAYS = {"short way": True, "session": False} if short_way.KNOWN else {"session": False}


@pytest.fixture(autouse=True, params=list(WAYS.values()), ids=list(WAYS))
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send every request of these tests this way."""
    monkeypatch.setattr(short_way, "KNOWN", request.param)
