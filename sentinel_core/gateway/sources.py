"""Where a gateway's settings come from, to be read when it is made and again at each reload."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sentinel_core.config import File, Settings, load_settings
from sentinel_core.config.sources import FILE_NAME
from sentinel_core.gateway.blueprint import problems


@dataclass(frozen=True, slots=True)
class Sources:
    """The file, or where it is looked for, and the environment: the process's own where none is given."""

    path: File | None
    environ: Mapping[str, str] | None
    env_file: File | None

    def settled(self, settings: Settings) -> Sources:
        """The same, once these settings were found there. A file that was there without being named has to be there
        still: that it is away is a refusal, and not the end of authentication."""
        return replace(self, path=settings.path) if settings.path == Path(FILE_NAME) else self

    def read(self) -> Settings:
        """The settings as they are now. Raises `ConfigError` with every problem."""
        environ = os.environ if self.environ is None else self.environ
        return load_settings(self.path, environ=environ, env_file=self.env_file, further=problems)
