"""Processes that recognise without a model."""

from __future__ import annotations

import pytest

from tests.plugins.guarding.presidio import stand_in


@pytest.fixture(autouse=True)
def recognised_by_a_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage asks the stand-in."""
    monkeypatch.setattr("sentinel_plugins.pii.names.recogniser.COMMAND", stand_in.COMMAND)
