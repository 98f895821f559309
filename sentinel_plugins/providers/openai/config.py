"""`[providers.<name>]` with `kind = "openai"`."""

from __future__ import annotations

from urllib.parse import urlsplit

from sentinel_core.config import Count, HttpUrl, Seconds, Secret
from sentinel_core.provider import ProviderConfig

MIB = 1 << 20


class OpenAIConfig(ProviderConfig, frozen=True, kw_only=True):
    """Where the upstream is, how to identify there, and how long and how large its answers may be."""

    base_url: HttpUrl = "https://api.openai.com/v1"
    """The part of the URL before `/chat/completions`. Set it for a compatible server."""
    api_key: Secret | None = None
    """Sent as a bearer token. Leave it out for a server that wants none."""
    organization: str | None = None
    """Sent as `OpenAI-Organization`, for keys that belong to several."""
    project: str | None = None
    """Sent as `OpenAI-Project`, for keys that belong to several."""
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

    def __post_init__(self) -> None:
        url = urlsplit(self.base_url)
        if "@" in url.netloc:
            raise ValueError("base_url: must not hold a user name or password; put the key into api_key")
        if not url.hostname:
            raise ValueError("base_url: names no host")
        _ = url.port  # raises ValueError where it is no number, or out of range
        secret = self.api_key.reveal() if self.api_key is not None else ""
        for name, value in (("api_key", secret), ("organization", self.organization), ("project", self.project)):
            if value and not (value.isascii() and value.isprintable()):
                raise ValueError(f"{name}: holds a character that no HTTP header may carry")
