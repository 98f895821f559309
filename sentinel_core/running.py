"""What a coroutine is to whoever runs it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Running: TypeAlias = Coroutine[Any, Any, T]  # what it exchanges with its loop is the loop's
"""Work that a task or a loop runs, and what comes of it."""
