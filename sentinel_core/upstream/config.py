"""What the tables of all providers over HTTP share: how to identify, how long to wait, how much to take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from sentinel_core.config import Count, HttpUrl, Seconds, Secret
from sentinel_core.provider import ProviderConfig
from sentinel_core.upstream.outgoing import OnUnsupported

MIB = 1 << 20

_HOST = re.compile(rb"[\w.:%-]+")


class UpstreamConfig(ProviderConfig, frozen=True, kw_only=True):
    """How to identify at an upstream, and how long and how large its answers may be."""

    api_key: Secret | None = None
    """The key of the upstream. Leave it out for a server that wants none."""
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
    max_event_bytes: Count = 16 * MIB
    """The largest single event of a stream: a picture comes in one. Of one this large its stream takes three times as
    much memory, six times where most of it is emoji. Lower it where memory is short and answers are text."""
    on_unsupported: OnUnsupported = "drop"
    """What becomes of a request's parameter that this API cannot express, or that the host is known to refuse. `drop`
    leaves it out and names it in `x-sentinel-dropped-params`; `refuse` answers 400. Set `refuse` where a silent
    difference is worse than a failure."""

    def __post_init__(self) -> None:
        if problems := [*self.problems()]:
            raise ValueError(*problems)

    def problems(self) -> Iterator[str]:
        """What is wrong with values that their types take, each with its key in front. A table with more keys adds its
        own."""
        yield from header_problems("api_key", self.api_key.reveal() if self.api_key is not None else "")

    def root(self) -> str:
        """The URL that the paths of the API are put after, without a slash at its end."""
        raise NotImplementedError(f"{type(self).__name__} does not say where its upstream is")


class BaseUrlConfig(UpstreamConfig, frozen=True, kw_only=True):
    """An upstream at a base URL."""

    base_url: HttpUrl
    """The part of the URL before the API's paths. Set it for a proxy or a server of your own."""

    def problems(self) -> Iterator[str]:
        """Those of the base URL as well."""
        yield from UpstreamConfig.problems(self)
        yield from url_problems("base_url", self.base_url)

    def root(self) -> str:
        """The base URL without a slash at its end."""
        return self.base_url.rstrip("/")


def url_problems(name: str, text: str) -> Iterator[str]:
    """What is wrong with a URL that holds credentials, or a host that nobody can look up. It quotes nothing of it."""
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        yield f"{name}: its host or its port is not valid"
        return
    if "@" in url.netloc:
        yield f"{name}: must not hold a user name or password; put the key into api_key"
    if not host:
        yield f"{name}: names no host"
    elif not _can_be_looked_up(host):
        yield f"{name}: names a host that cannot be looked up"


def _can_be_looked_up(host: str) -> bool:
    try:
        return _HOST.fullmatch(host.encode("idna")) is not None
    except UnicodeError:  # a label that is empty, or longer than 63
        return False


def header_problems(name: str, value: str) -> Iterator[str]:
    """What is wrong with a value that no HTTP header may carry. The value itself is not quoted: it may be a key."""
    if value and not (value.isascii() and value.isprintable()):
        yield f"{name}: holds a character that no HTTP header may carry"
