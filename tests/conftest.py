"""What every test shares: hypothesis profiles, the scripted upstream and a real Redis."""

from __future__ import annotations

import os

from hypothesis import settings

pytest_plugins = ["tests.no_skips", "tests.upstream.fixtures", "tests.redis.fixtures"]

settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=1000, deadline=None)
settings.register_profile("soak", max_examples=100_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
