"""What a process needs to know to become a gateway: where its configuration comes from."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from sentinel_core.config import ServerSettings, Settings, load_settings
from sentinel_core.gateway import Gateway
from sentinel_server.exposure import check

log = logging.getLogger("sentinel.server")

OVERRIDE = "SENTINEL__SERVER__"


class Launch(msgspec.Struct, frozen=True):
    """The sources of a configuration. `server` overrides keys of `[server]`, as the command line does.

    Crosses process borders as JSON; what is read again at a reload is read from the same sources.
    """

    config: str | None = None
    env_file: str | None = None
    server: Mapping[str, str] = {}

    def environ(self) -> dict[str, str]:
        """This process's environment with the overrides in it, which are stronger than the file."""
        return {**os.environ, **{OVERRIDE + key.upper(): value for key, value in self.server.items()}}

    def settings(self) -> Settings:
        """The settings, read now. `ConfigError` with every problem."""
        return load_settings(_path(self.config), environ=self.environ(), env_file=_path(self.env_file))

    def gateway(self) -> Gateway:
        """A gateway that is compiled and not open. `ConfigError` with every problem."""
        return Gateway.load(_path(self.config), environ=self.environ(), env_file=_path(self.env_file))

    def successor(self, server: ServerSettings) -> Gateway:
        """The same, checked for exposure, for a process that serves with this `[server]` and goes on doing so."""
        gateway = self.gateway()
        if gateway.settings.server != server:
            log.warning("[server] has changed: that takes effect at the next start")
            gateway = Gateway(replace(gateway.settings, server=server))
        check(gateway)
        return gateway


def _path(name: str | None) -> Path | None:
    return Path(name) if name is not None else None
