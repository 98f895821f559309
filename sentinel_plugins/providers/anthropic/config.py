"""`[providers.<name>]` with `kind = "anthropic"`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel_core.config import HttpUrl
from sentinel_core.upstream import BaseUrlConfig

_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,128}")


class AnthropicConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Where the upstream is, how to identify there, and how long and how large its answers may be."""

    base_url: HttpUrl = "https://api.anthropic.com/v1"
    """The part of the URL before `/messages`. Set it for a compatible server."""
    version: str = "2023-06-01"
    """Sent as `anthropic-version`. Clients' own is not passed on: the answer's form is this gateway's to know."""
    betas: tuple[str, ...] = ()
    """The betas that clients may ask for with the header `anthropic-beta`. Others are left out of it, and treated as
    `on_unsupported` says. Name a beta here once you know what it costs and changes."""

    def problems(self) -> Iterator[str]:
        """Those of what is sent in headers as well."""
        yield from BaseUrlConfig.problems(self)
        for name, value in (("version", self.version), *(("betas", beta) for beta in self.betas)):
            if not _TOKEN.fullmatch(value):
                yield f"{name}: {value!r} is no name that the header may carry"
