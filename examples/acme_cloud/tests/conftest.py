"""Sentinel's testing kit, as any author of a plugin uses it."""

from __future__ import annotations

pytest_plugins = ["sentinel_core.testing.plugin"]
