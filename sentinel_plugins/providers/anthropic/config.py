"""`[providers.<name>]` with `kind = "anthropic"`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sentinel_core.config import Count, HttpUrl, Seconds, Secret
from sentinel_core.provider import ProviderConfig
from sentinel_core.upstream import OnUnsupported

MIB = 1 << 20
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,128}")


class AnthropicConfig(ProviderConfig, frozen=True, kw_only=True):
    """Where the upstream is, how to identify there, and how long and how large its answers may be."""

    base_url: HttpUrl = "https://api.anthropic.com/v1"
    """The part of the URL before `/messages`. Set it for a compatible server."""
    api_key: Secret | None = None
    """Sent as `x-api-key`. Leave it out for a server that wants none."""
    version: str = "2023-06-01"
    """Sent as `anthropic-version`. Clients' own is not passed on: the answer's form is this gateway's to know."""
    betas: tuple[str, ...] = ()
    """The betas that clients may ask for with the header `anthropic-beta`. Others are left out of it, and treated as
    `on_unsupported` says. Name a beta here once you know what it costs and changes."""
    connect_timeout_s: Seconds = 5.0
    """From the start of a call until its connection stands: a free place in the pool, DNS, TCP and TLS."""
    first_byte_timeout_s: Seconds = 60.0
    """From then to the first byte of the answer's body. Raise it for models that think before they speak."""
    idle_timeout_s: Seconds = 60.0
    """Between two pieces of the answer."""
    total_timeout_s: Seconds = 600.0
    """The whole call, to its last byte."""
    max_connections: Count = 1000
    """Calls at one time, from each worker. One more waits for `connect_timeout_s`, then fails as overloaded."""
    max_response_bytes: Count = 64 * MIB
    """The largest answer, unpacked; a stream's as well."""
    max_event_bytes: Count = MIB
    """The largest single event of a stream."""
    on_unsupported: OnUnsupported = "drop"
    """What becomes of a request's parameter, from a client of another dialect, that this API cannot express. `drop`
    leaves it out and names it in `x-sentinel-dropped-params`; `refuse` answers 400. Set `refuse` where a silent
    difference is worse than a failure."""

    def __post_init__(self) -> None:
        url = urlsplit(self.base_url)
        if "@" in url.netloc:
            raise ValueError("base_url: must not hold a user name or password; put the key into api_key")
        if not url.hostname:
            raise ValueError("base_url: names no host")
        _ = url.port  # raises ValueError where it is no number, or out of range
        secret = self.api_key.reveal() if self.api_key is not None else ""
        if secret and not (secret.isascii() and secret.isprintable()):
            raise ValueError("api_key: holds a character that no HTTP header may carry")
        for name, value in (("version", self.version), *(("betas", beta) for beta in self.betas)):
            if not _TOKEN.fullmatch(value):
                raise ValueError(f"{name}: {value!r} is no name that the header may carry")
