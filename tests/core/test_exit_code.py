"""How a process ended, in words."""

from __future__ import annotations

import pytest

from sentinel_core.exit_code import epitaph


@pytest.mark.parametrize(
    ("code", "says"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "signal SIGKILL"), (-40, "signal 40")]
)
def test_it_names_what_ended_the_process(code: int, says: str) -> None:
    assert epitaph(code) == says
