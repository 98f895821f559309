"""The kit with which plugins are tested, ours and yours.

Switch its fixtures on with `pytest_plugins = ["sentinel_core.testing.plugin"]`.
"""

from sentinel_core.testing.fake_clock import FakeClock, settle
from sentinel_core.testing.fake_provider import HANG, FakeProvider
from sentinel_core.testing.harness import Driven, chain_of, context, drive, encoded, fake_services, opened, run
from sentinel_core.testing.idle import events_or_idle
from sentinel_core.testing.provider_conformance import ProviderConformance
from sentinel_core.testing.replies import chat_body, chunk, completion, content_chunk, events_of, finish_chunk
from sentinel_core.testing.stage_conformance import StageConformance

__all__ = [
    "HANG",
    "Driven",
    "FakeClock",
    "FakeProvider",
    "ProviderConformance",
    "StageConformance",
    "chain_of",
    "chat_body",
    "chunk",
    "completion",
    "content_chunk",
    "context",
    "drive",
    "encoded",
    "events_of",
    "events_or_idle",
    "fake_services",
    "finish_chunk",
    "opened",
    "run",
    "settle",
]
