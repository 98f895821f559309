"""Sub-commands that plugins contribute to `sentinel`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One sub-command; `keys list` is `list` in the group `keys`.

    `run` gets its arguments from the command line by its own signature and annotations (typer's rules) and returns the
    exit code.
    """

    name: str
    run: Callable[..., int]
    help: str = ""
