"""`--reload`: looks at files and says when the configuration or the code has changed. For development."""

from __future__ import annotations

import asyncio
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

from sentinel_core.config.files import Files, stamp

INTERVAL_S = 0.5

Stamps = dict[Path, int]


class Watcher:
    """Compares modification times. `files` gives those that the configuration was read from last; code is every
    imported module that is neither Python's nor pip's.
    """

    def __init__(self, files: Callable[[], Files]) -> None:
        self._files = files
        self._seen = self._stamps()

    async def run(self, reload: Callable[[], object], restart: Callable[[], None]) -> None:
        """Until cancelled: `reload` when the configuration changed; once code did, `restart` and return."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            if self.code_changed():
                restart()
                return
            if self._files().stale:
                reload()

    def code_changed(self) -> set[Path]:
        """Code that is not what it was at the last look. A module that was imported since is not a change."""
        now = self._stamps()
        changed = {path for path, seen in self._seen.items() if now.get(path) != seen}
        self._seen = now
        return changed

    def _stamps(self) -> Stamps:
        return {path: written for path in _sources() if (written := stamp(path)) is not None}


def _sources() -> Iterator[Path]:
    installed = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    for module in list(sys.modules.values()):
        source = getattr(module, "__file__", None)
        if source and source.endswith(".py") and not source.startswith(installed):
            yield Path(source)
