"""Which of the attempts that an exchange noted were made."""

from __future__ import annotations

from sentinel_core.attempt import NOT_CALLED, Attempt, made
from sentinel_core.keys import Target

HERE = Target("fake", "fake")


def test_an_attempt_that_failed_was_made_and_one_that_could_not_be_announced_was_not() -> None:
    failed = Attempt(1, HERE, 0.0, "failed", "upstream_timeout")
    unannounced = Attempt(2, HERE, 0.0, "discarded", NOT_CALLED)
    good = Attempt(3, HERE, 0.0, "completed")
    assert made([failed, unannounced, good]) == [failed, good]
