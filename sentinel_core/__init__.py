"""The chain and everything a plugin author needs.

from sentinel_core import Gateway, Stage, StageConfig, hookimpl
"""

from sentinel_core.context import Call, Client, Context, Outcome
from sentinel_core.errors import ConfigError, Refusal, SentinelError, StageFault, UpstreamError
from sentinel_core.events import (
    Event,
    Extent,
    Finish,
    Opaque,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TextEvent,
    ToolCallDelta,
    UsageReport,
)
from sentinel_core.gateway import Gateway, ModelInfo
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import CANDIDATES, PLAN, PRINCIPAL, Key, Principal, Target, Verdict
from sentinel_core.messages import Answer, Request, TextSlot
from sentinel_core.provider import Health, Provider, ProviderConfig
from sentinel_core.registry import Registry
from sentinel_core.reply import EventStream, Reply
from sentinel_core.services import Services
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.usage import Usage

__all__ = [
    "CANDIDATES",
    "PLAN",
    "PRINCIPAL",
    "Answer",
    "Call",
    "Client",
    "ConfigError",
    "Context",
    "Event",
    "EventStream",
    "Extent",
    "Finish",
    "Gateway",
    "Health",
    "Key",
    "ModelInfo",
    "Opaque",
    "Outcome",
    "Principal",
    "Provider",
    "ProviderConfig",
    "ReasoningDelta",
    "Refusal",
    "RefusalDelta",
    "Registry",
    "Reply",
    "Request",
    "SentinelError",
    "Services",
    "Stage",
    "StageConfig",
    "StageFault",
    "Target",
    "TextDelta",
    "TextEvent",
    "TextSlot",
    "ToolCallDelta",
    "UpstreamError",
    "Usage",
    "UsageReport",
    "Verdict",
    "hookimpl",
]
