"""Every default of the core's tables, written down once more (P12): changing one is a decision."""

from __future__ import annotations

import msgspec

from sentinel_core.config import (
    CatalogueSettings,
    ChainSettings,
    ModelSettings,
    ServerSettings,
    TargetSettings,
    settings_from,
)

SERVER = {
    "host": "127.0.0.1",
    "port": 8000,
    "workers": 1,
    "replicas": 1,
    "runner": "hypercorn",
    "http2": False,
    "environment": "development",
    "log_level": "info",
    "allow_anonymous": False,
    "allowed_hosts": (),
    "trusted_proxies": (),
    "forwarded_header": "x-forwarded-for",
    "cors_origins": (),
    "extend_body": False,
    "drain_timeout_s": 600.0,
    "request_timeout_s": 600.0,
    "body_timeout_s": 30.0,
    "send_timeout_s": 60.0,
    "keep_alive_comment_s": 15.0,
    "tcp_user_timeout_s": 120.0,
    "max_body_bytes": 10_485_760,
    "max_json_depth": 64,
    "max_json_nodes": 250_000,
    "max_header_count": 100,
    "max_header_bytes": 32_768,
    "max_connections": 4096,
    "max_connections_per_ip": 1024,
    "backlog": 4096,
}


def test_p12_every_default_of_the_server() -> None:
    assert msgspec.structs.asdict(settings_from({}).server) == SERVER == msgspec.structs.asdict(ServerSettings())


def test_p12_every_default_of_the_chain_and_of_models() -> None:
    assert settings_from({}).chain == ChainSettings(stages=None)
    assert settings_from({}).models == ()
    assert settings_from({}).catalogue == CatalogueSettings(file=None)
    assert TargetSettings(provider="a") == TargetSettings(provider="a", model=None)
    assert [field.name for field in msgspec.structs.fields(ModelSettings) if not field.required] == []


ELSEWHERE = ("0.0.0.0", "::", "10.0.0.1", "example.com", "127.example.com", "127.0.0.1.example.com", "127.0.0.1:80")


def test_only_loopback_addresses_count_as_loopback() -> None:
    loopback = [host for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9") if ServerSettings(host=host).loopback]
    assert len(loopback) == 4
    assert not any(ServerSettings(host=host).loopback for host in ELSEWHERE)
