"""With SENTINEL_FORBID_SKIPS=1 a skipped test is a failed one, so that CI cannot pass by leaving something out.

One mark is exempt: `real_llm`, whose tests need 250 MB of packages that nothing else needs.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

FORBIDDEN = os.environ.get("SENTINEL_FORBID_SKIPS") == "1"
EXEMPT = "real_llm"


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    # An expected failure (xfail) reports as skipped too; it ran.
    if FORBIDDEN and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"SENTINEL_FORBID_SKIPS=1, but this was left out: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips."""
    report = yield
    if item.get_closest_marker(EXEMPT) is None:
        _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips as a whole; no mark exempts that."""
    report = yield
    _refuse(report)
    return report
