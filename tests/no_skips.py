"""With SENTINEL_FORBID_SKIPS=1 a skipped test is a failed one, so that CI cannot pass by leaving something out."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

FORBIDDEN = os.environ.get("SENTINEL_FORBID_SKIPS") == "1"


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    # An expected failure (xfail) reports as skipped too; it ran.
    if FORBIDDEN and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"SENTINEL_FORBID_SKIPS=1, but this was left out: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips."""
    report = yield
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips as a whole."""
    report = yield
    _refuse(report)
    return report
