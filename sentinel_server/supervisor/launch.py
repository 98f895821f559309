"""What a process needs to know to become a gateway: where its configuration comes from, and what that said."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import msgspec

from sentinel_core.config import ServerSettings, Settings, load_settings
from sentinel_core.config.files import Files
from sentinel_core.config.sources import Option
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.blueprint import Judge, problems
from sentinel_server import exposure

log = logging.getLogger("sentinel.server")


class Launch(msgspec.Struct, frozen=True):
    """The sources of a configuration. `server` are keys of `[server]` as options of the command line say them.

    Crosses process borders as JSON. `contents` are what its files said when they were read, secrets among them: whoever
    has them reads nothing. Its `repr` shows none.
    """

    config: str | None = None
    env_file: str | None = None
    server: Mapping[str, str | int] = {}
    contents: Mapping[str, bytes] | None = None

    def __repr__(self) -> str:
        return f"Launch(config={self.config!r}, env_file={self.env_file!r})"

    def files(self) -> Files:
        """The files of one reading."""
        return Files(self.contents, once=True)

    def settings(self, files: Files | None = None, judge: Judge | None = None) -> Settings:
        """The settings, read now. `ConfigError` with every problem, those of plugins' tables and a judge's included."""
        return load_settings(
            self.config,
            environ=os.environ,
            env_file=self.env_file,
            files=files or self.files(),
            further=partial(problems, judge=judge),
            options=[Option(f"--{key}", ("server", key), value) for key, value in self.server.items()],
        )

    def gateway(self, files: Files | None = None) -> Gateway:
        """A gateway that is compiled and not open. `ConfigError` with every problem."""
        return Gateway(self.settings(files))

    def served(self, files: Files | None = None) -> Gateway:
        """The same, for a process that begins to serve: whom and what that would expose counts as well."""
        return Gateway(self.settings(files, exposure.problems), judge=exposure.problems)

    def successor(self, server: ServerSettings, files: Files | None = None) -> Gateway:
        """The same, for a process that serves with this `[server]` and goes on doing so."""
        settings = self.settings(files, exposure.problems)
        if settings.server != server:
            log.warning("[server] has changed: that takes effect at the next start")
        return Gateway(replace(settings, server=server), judge=exposure.problems)

    def settled(self, settings: Settings) -> Launch:
        """The same sources as these settings found them: that file and no other, and what all of them said."""
        config = str(settings.path) if settings.path is not None else None
        return msgspec.structs.replace(self, config=config, contents=settings.files.contents)

    def anew(self) -> Launch:
        """The same sources, to be read again. A file that was there has to be there still."""
        return msgspec.structs.replace(self, contents=None)
