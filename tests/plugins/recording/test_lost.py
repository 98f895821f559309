"""A request that still runs is not lost."""

from __future__ import annotations

import pytest

from sentinel_core.config import ServerSettings, settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_plugins.recording.lost import over_after_s


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


@pytest.mark.parametrize(("lost_after_s", "over_s"), [(3_600.0, 660.0), (620.0, 620.0)])
def test_what_ran_when_a_process_began_is_over_when_a_request_is_and_never_later_than_it_is_lost(
    lost_after_s: float, over_s: float
) -> None:
    assert over_after_s(lost_after_s, ServerSettings()) == over_s


def tables(stage: str, **table: TomlValue) -> TomlTable:
    return {"server": {"request_timeout_s": 7200.0}, "stages": {stage: table}}
