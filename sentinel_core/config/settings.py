"""The tables that the core itself reads. Plugins bring Structs of their own for theirs."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from sentinel_core.dialects.base import JsonLimits

EnvironmentName: TypeAlias = Literal["development", "staging", "production"]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error", "critical"]
ForwardedHeader: TypeAlias = Literal["x-forwarded-for", "forwarded"]
Runner: TypeAlias = Literal["hypercorn", "uvicorn"]

Name = Annotated[str, Meta(min_length=1, description="a string that is not empty")]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Backlog = Annotated[int, Meta(ge=1, le=2**31 - 1, description="an integer from 1 to 2147483647")]  # as listen(2)
Port = Annotated[int, Meta(ge=0, le=65535, description="an integer from 0 to 65535")]
HttpUrl = Annotated[
    str, Meta(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?\Z", description="a URL such as https://api.example.com/v1")
]
Host = Annotated[
    str,
    Meta(
        pattern=r"^((\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])\Z",
        description="a host name without port such as api.example.com or *.example.com",
    ),
]
WebOrigin = Annotated[
    str,
    Meta(
        pattern=r"^(\*|https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)\Z",
        description="an origin such as https://app.example.com, or *",
    ),
]

KIB = 1024
MIB = 1024 * KIB


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[server]`: where Sentinel listens and what it accepts."""

    host: Name = "127.0.0.1"
    """Address to bind. The default answers this machine only."""
    port: Port = 8000
    """TCP port; 0 takes a free one."""
    workers: Count = 1
    """Processes that serve, all on one port. More than one needs a shared state store."""
    replicas: Count = 1
    """Gateways that serve the same callers, each started by itself, this one included: what your orchestrator runs.
    More than one needs a shared state store."""
    runner: Runner = "hypercorn"
    """The ASGI server. `uvicorn` needs the `fast` extra: faster, without HTTP/2."""
    http2: bool = False
    """Speak HTTP/2 as well (hypercorn only)."""
    environment: EnvironmentName = "development"
    """Where this is running; shown in the banner."""
    log_level: LogLevel = "info"
    """The least severity that is logged."""
    allow_anonymous: bool = False
    """Serve callers without a key also beyond loopback. Set it where something in front authenticates."""
    allowed_hosts: tuple[Host, ...] = ()
    """Host headers that are served, without port; `*.example.com` covers sub-domains. Empty: any; where
    `sentinel serve` listens on loopback and knows no callers, `localhost`, its sub-domains and loopback addresses.
    The probes `/health/live` and `/health/ready` answer to every name: whoever runs the process asks by its address."""
    trusted_proxies: tuple[Name, ...] = ()
    """Networks of proxies in front, such as `10.0.0.0/8`. Only what they say of a client's address is believed."""
    forwarded_header: ForwardedHeader = "x-forwarded-for"
    """In which header they say it. They must set it or append to it on every request."""
    cors_origins: tuple[WebOrigin, ...] = ()
    """Browser origins that may call, such as `https://app.example.com`, or `*`. Empty: no CORS headers at all."""
    extend_body: bool = False
    """Add `cached`, `latency_ms` and `cost_usd` to reply bodies; they are always headers."""
    drain_timeout_s: Seconds = 600.0
    """How long open streams may go on after a shutdown began."""
    request_timeout_s: Seconds = 600.0
    """A request's whole time, from its head to its last byte."""
    body_timeout_s: Seconds = 30.0
    """How long a request body may take to arrive."""
    send_timeout_s: Seconds = 60.0
    """How long one write may wait for a client that does not read."""
    keep_alive_comment_s: Seconds = 15.0
    """A stream that is silent for so long gets a comment line, so that proxies keep it open."""
    tcp_user_timeout_s: Seconds = 120.0
    """How long a client may acknowledge nothing, neither bytes nor probes, until its connection is given up (Linux)."""
    max_body_bytes: Count = 10 * MIB
    """The largest request body. Larger ones are refused with 413 before they are read."""
    max_json_depth: Count = 64
    """How deep a JSON body may nest."""
    max_json_nodes: Count = 250_000
    """How many values a JSON body may hold."""
    max_header_count: Count = 100
    """How many header lines a request may have."""
    max_header_bytes: Count = 32 * KIB
    """How large those lines may be together."""
    max_connections: Count = 4096
    """Open connections of one worker; one more is closed at once. Keep it below the limit of open files."""
    max_connections_per_ip: Count = 1024
    """Open connections of one address. Behind a proxy, which is one address, raise it to `max_connections`."""
    backlog: Backlog = 4096
    """Connections that the kernel holds until they are accepted."""

    def __post_init__(self) -> None:
        networks = [text for text in self.trusted_proxies if not _is_network(text)]
        problems = [f"trusted_proxies: {text!r} is not a network such as '10.0.0.0/8'" for text in networks]
        if self.http2 and self.runner != "hypercorn":
            problems.append('http2 needs runner = "hypercorn"')
        if problems:
            raise ValueError(*problems)

    @property
    def json_limits(self) -> JsonLimits:
        """What a request's JSON may be."""
        return JsonLimits(self.max_body_bytes, self.max_json_depth, self.max_json_nodes)

    @property
    def loopback(self) -> bool:
        """True if only this machine can connect. Where a name leads, `localhost` excepted, is not known here."""
        return self.host == "localhost" or _is_loopback(self.host)


class ChainSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[chain]`: the order of the stages."""

    stages: tuple[Name, ...] | None = None
    """Names in order. Every enabled stage must be in it. Without it, the default order."""


class TargetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place that serves a model."""

    provider: Name
    """The name of a `[providers.<name>]` table."""
    model: Name | None = None
    """The model's name there; by default the name that clients ask for."""


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[models]]`: a name that clients ask for and where it is served."""

    name: Name
    """What a request's `model` says."""
    targets: Annotated[tuple[TargetSettings, ...], Meta(min_length=1)]
    """In the order of preference."""


class CatalogueSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[catalogue]`: what is known about models."""

    file: Name | None = None
    """A TOML file of your own whose `[[models]]` change or add rows, such as prices that you negotiated. A relative
    path starts at the folder of the configuration."""


class RootTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. The tables of plugins are checked later, by the Structs of the plugins they name."""

    server: ServerSettings = ServerSettings()
    """See `ServerSettings`."""
    chain: ChainSettings = ChainSettings()
    """See `ChainSettings`."""
    models: tuple[ModelSettings, ...] = ()
    """See `ModelSettings`."""
    catalogue: CatalogueSettings = CatalogueSettings()
    """See `CatalogueSettings`."""
    stages: dict[str, dict[str, Any]] = {}  # described by stages
    """`[stages.<name>]`: one table for every stage of the chain."""
    providers: dict[str, dict[str, Any]] = {}  # described by providers
    """`[providers.<name>]`: one table for every upstream; `kind` names its plugin, by default the table's name."""
    state: dict[str, Any] = {}  # described by state stores
    """`[state]`: where counters and limits live; `kind` names the store."""
    records: dict[str, Any] = {}  # described by record stores
    """`[records]`: where usage and audit rows live; `kind` names the store."""


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_loopback(text: str) -> bool:
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return False
