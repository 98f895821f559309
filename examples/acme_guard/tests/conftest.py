"""Sentinel's testing kit, as any author of a plugin uses it."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["sentinel_core.testing.plugin"]

# A deadline per example would measure the machine.
settings.register_profile("acme", deadline=None)
settings.load_profile("acme")
