"""Which of the attempts that an exchange noted were made, and which is told of."""

from __future__ import annotations

from sentinel_core.attempt import NOT_CALLED, Attempt, made, served
from sentinel_core.keys import Target

HERE = Target("fake", "fake")


def test_an_attempt_that_failed_was_made_and_one_that_could_not_be_announced_was_not() -> None:
    failed = Attempt(1, HERE, 0.0, "failed", "upstream_timeout")
    unannounced = Attempt(2, HERE, 0.0, "discarded", NOT_CALLED)
    good = Attempt(3, HERE, 0.0, "completed")
    assert made([failed, unannounced, good]) == [failed, good]


def test_a_request_is_told_by_whose_reply_was_taken_else_by_who_gave_a_whole_one_else_by_the_last_call() -> None:
    broken = Attempt(1, HERE, 0.0, "failed", "upstream_stream_interrupted", taken=True)
    whole = Attempt(2, HERE, 0.0, "completed")
    rival = Attempt(3, HERE, 0.0, "discarded")
    unannounced = Attempt(4, HERE, 0.0, "discarded", NOT_CALLED)
    assert served([broken, whole, rival, unannounced]) is broken
    assert served([whole, rival, unannounced]) is whole
    assert served([rival, unannounced]) is rival
    assert served([unannounced]) is None
