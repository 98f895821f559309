"""Running an operation of the memory store without an event loop, which proves that it never waits."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def one_step(operation: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine exchanges with a loop, here nothing
    """The result of an operation that is one synchronous step."""
    try:
        operation.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the operation waited")
