"""Running an operation of the memory store without an event loop, which proves that it never waits."""

from __future__ import annotations

from typing import TypeVar

from sentinel_core.running import Running

T = TypeVar("T")


def one_step(operation: Running[T]) -> T:
    """The result of an operation that is one synchronous step."""
    try:
        operation.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the operation waited")
