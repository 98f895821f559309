"""Limits of callers who say who they are, where no stage asks them."""

from __future__ import annotations

from typing import ClassVar

import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlValue
from sentinel_core.keys import PRINCIPAL
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage

LIMITS = {"requests_per_minute": 60}


class Badge(Stage):
    """A plugin that knows callers in a way of its own."""

    name: ClassVar[str] = "badge"
    writes = (PRINCIPAL,)


def warned(**stages: TomlValue) -> list[str]:
    registry = Registry()
    registry.register(Badge)
    warnings = Gateway(settings_from({"stages": stages}), registry=registry).warnings
    return [one for one in warnings if "[stages.rate_limit" in one]


@pytest.mark.parametrize("subject", ["tenant", "key", "user"])
def test_a_table_that_binds_nobody_is_a_warning(subject: str) -> None:
    (warning,) = warned(rate_limit={subject: LIMITS})
    assert f"[stages.rate_limit.{subject}]" in warning
    assert "[stages.auth]" in warning
    assert warned(rate_limit={subject: LIMITS}, auth={}) == []
    assert warned(rate_limit={subject: LIMITS}, badge={}) == []


def test_tables_for_everybody_bind_without_it() -> None:
    assert warned(rate_limit={"address": LIMITS, "models": {"gpt-4*": LIMITS}}) == []
