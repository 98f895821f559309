"""What every test shares: hypothesis profiles, the scripted upstream and a real Redis."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.no_skips", "tests.upstream.fixtures", "tests.redis.fixtures"]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Workers for `-n auto`: one more than there are cores, for many tests wait for processes and timers."""
    return (os.cpu_count() or 1) + 1


CI = bool(os.environ.get("CI"))
"""There a change is judged by the same examples each time: what is found by chance is found by `nox -s soak`, and at
every developer's desk."""

settings.register_profile("default", max_examples=100, deadline=None, derandomize=CI)
settings.register_profile("ci", max_examples=1000, deadline=None, derandomize=CI)
settings.register_profile("soak", max_examples=100_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
