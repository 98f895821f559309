"""`--reload`: looks at files and says when the configuration or the code has changed. For development."""

from __future__ import annotations

import asyncio
import sys
import sysconfig
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

INTERVAL_S = 0.5

Stamps = dict[Path, int]


class Watcher:
    """Compares modification times. Code is every imported module that is neither Python's nor pip's."""

    def __init__(self, config: Path | None) -> None:
        self._config = config
        self._seen = self._stamps()

    async def run(self, reload: Callable[[], Awaitable[object]], restart: Callable[[], None]) -> None:
        """Until cancelled: `reload` when the configuration changed; once code did, `restart` and return."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            changed = self.changed()
            if changed - {self._config}:
                restart()
                return
            if changed:
                await reload()

    def changed(self) -> set[Path | None]:
        """Files that are not what they were at the last look. A module that was imported since is not a change."""
        now = self._stamps()
        changed: set[Path | None] = {path for path, stamp in self._seen.items() if now.get(path) != stamp}
        self._seen = now
        return changed

    def _stamps(self) -> Stamps:
        return {path: stamp for path in self._files() if (stamp := _stamp(path)) is not None}

    def _files(self) -> Iterator[Path]:
        if self._config is not None:
            yield self._config
        installed = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
        for module in list(sys.modules.values()):
            source = getattr(module, "__file__", None)
            if source and source.endswith(".py") and not source.startswith(installed):
                yield Path(source)


def _stamp(path: Path) -> int | None:
    """When it was written; None where it is not there now: an editor may replace it at any moment."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
