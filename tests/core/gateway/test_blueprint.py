"""Everything that is wrong with a configuration is said at once, with its table and key."""

from __future__ import annotations

import pytest

from sentinel_core import Gateway
from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError


def test_every_problem_is_reported_at_once_with_its_table_and_key() -> None:
    tables = {
        "stages": {"no_such_stage": {}},
        "providers": {"echo": {"no_such_key": 1}, "other": {"kind": "no_such_kind"}},
        "state": {"kind": "no_such_store"},
    }
    with pytest.raises(ConfigError) as caught:
        Gateway(settings_from(tables))
    problems = [str(problem) for problem in caught.value.problems]
    for place in ("[stages.no_such_stage]", "[providers.echo] no_such_key", "[providers.other]", "[state]"):
        assert any(place in problem for problem in problems), (place, problems)
