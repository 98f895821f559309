"""This Python, for processes that a process starts."""

from __future__ import annotations

import os
import sys


def running(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module, found where this process finds its own.

    `-m` alone looks in the working folder before all that is installed, and takes a `secrets.py` there for Python's.
    Whoever was started in that way, to work on the code, goes on so.
    """
    beside = {os.path.abspath(entry) for entry in sys.path}
    safe = () if os.getcwd() in beside else ("-P",)
    return (sys.executable, *safe, "-m", module, *arguments)
