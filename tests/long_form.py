"""Tests that take a processor more than about a second each, most of which start processes, and others of a kind that
the suite of every day has: the whole programme runs them, that suite leaves them out."""

from __future__ import annotations

import os

import pytest

LONG_FORM = os.environ.get("SENTINEL_TEST_LONG") == "1"

long_form = pytest.mark.skipif(not LONG_FORM, reason="SENTINEL_TEST_LONG=1 runs this: it takes long")
