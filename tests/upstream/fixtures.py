"""Fixtures for tests against a scripted upstream; registered by `tests/conftest.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.long_form import LONG_FORM
from tests.upstream.apis import APIS, Spoken
from tests.upstream.server import Upstream


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """A running upstream with an empty script."""
    async with Upstream() as running:
        yield running


TRIED = APIS if LONG_FORM else tuple({spoken.end: spoken for spoken in reversed(APIS)}.values())
"""All of them in the long form; one for each way in which a stream ends in the suite of every day."""


@pytest.fixture(params=TRIED, ids=[spoken.api.name for spoken in TRIED])
def spoken(request: pytest.FixtureRequest) -> Spoken:
    """Each API in turn."""
    each: Spoken = request.param
    return each
