"""The memory store against the naive model."""

from __future__ import annotations

from tests.plugins.state.drivers import MemoryDriver
from tests.plugins.state.store_machine import StoreMachine
from tests.properties import promised


class MemoryMachine(StoreMachine):
    """P1 and P3 in one process's memory."""

    def drive(self) -> MemoryDriver:
        return MemoryDriver()


MemoryMachine.TestCase.settings = promised()
TestMemoryMachine = MemoryMachine.TestCase
