"""A request that still runs is not lost."""

from __future__ import annotations

import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable, TomlValue


@pytest.mark.parametrize("stage", ["audit", "usage"])
def test_what_still_runs_is_not_taken_for_lost(stage: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Gateway(settings_from(tables(stage, guarantee="required", lost_after_s=7200.0)))
    (problem,) = caught.value.problems
    assert (problem.table, problem.key, problem.found) == (f"stages.{stage}", "lost_after_s", "7200")
    assert problem.expected == "more than 7200, the request_timeout_s of [server]"
    Gateway(settings_from(tables(stage, guarantee="required", lost_after_s=7201.0)))


@pytest.mark.parametrize("stage", ["audit", "usage"])
def test_without_intents_lost_after_s_may_be_shorter_than_a_request(stage: str) -> None:
    Gateway(settings_from(tables(stage, lost_after_s=60.0)))


def tables(stage: str, **table: TomlValue) -> TomlTable:
    return {"server": {"request_timeout_s": 7200.0}, "stages": {stage: table}}
