"""Times in questions: seconds, dates, and both with their zone."""

from __future__ import annotations

import pytest

from sentinel_core.errors import Refusal
from sentinel_plugins.recording.moment import moment

DAY = 1_795_996_800.0  # 2026-11-30, midnight in UTC


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-30", DAY),
        ("20261130", DAY),
        ("20261130T120000Z", DAY + 43_200),
        ("2026-11-30T12:00:00Z", DAY + 43_200),
        ("2026-11-30T12:00:00 01:00", DAY + 39_600),
        ("1795996800", DAY),
        ("1795996800.5", DAY + 0.5),
        ("100000000", 1e8),
        ("0", 0.0),
    ],
)
def test_a_moment_is_seconds_or_iso_8601(text: str, at: float) -> None:
    assert moment({"since": text}, "since") == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "20261131",
        "12345678",
        "2026-13-01",
        "1e9",
        "-1",
        "9" * 400,
        "2026",
        "202611",
        "1795996800000",
        "0.5",
    ],
    ids=lambda text: text[:12],
)
def test_what_is_none_says_what_would_be(text: str) -> None:
    with pytest.raises(Refusal, match="must be a time such as 2026-11-30") as refusal:
        moment({"since": text}, "since")
    assert refusal.value.param == "since"
