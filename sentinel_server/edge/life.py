"""What the edge asks of the gateway."""

from __future__ import annotations

from typing import Protocol


class Life(Protocol):
    """Open or not, taking new work or not."""

    @property
    def started(self) -> bool:
        """The gateway is open."""
        ...

    @property
    def draining(self) -> bool:
        """No new work is taken."""
        ...
