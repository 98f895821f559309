"""What a host that speaks OpenAI's format does in its own way, as data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sentinel_core.json_types import JsonMapping, JsonValue

_NOTHING: JsonMapping = MappingProxyType({})


def _none() -> JsonMapping:
    return _NOTHING


@dataclass(frozen=True, slots=True)
class MessageRules:
    """What becomes of the messages of a request. A field that no rule names is sent as it came, unless the host is one
    that refuses what it does not know."""

    roles: Mapping[str, str] = field(default_factory=_none)
    """Roles of messages to the host's words for them."""
    no_roles: frozenset[str] = frozenset()
    """Roles that the host has no word for: a request with a message of one is refused."""
    unsupported: frozenset[str] = frozenset()
    """Fields that the host refuses: left out, and named unless they are null."""
    unneeded: frozenset[str] = frozenset()
    """Fields that the host refuses and that say nothing to it: taken out without a word."""
    known: frozenset[str] = frozenset()
    """Fields that the host takes, where it refuses every other; empty where it takes any. Its calls of tools and their
    functions are then sent with what OpenAI's request has there."""
    never_null: frozenset[str] = frozenset()
    """Fields that the host takes, but not null."""
    refusal_as_text: bool = False
    """The host knows no `refusal`: that of an assistant who says nothing else is its text."""
    answer_to_results: bool = False
    """After results of tools the host wants to hear an assistant before a user."""


@dataclass(frozen=True, slots=True)
class RequestRules:
    """What becomes of the parameters of a request. What no rule names is sent as it came, in its place."""

    rename: Mapping[str, str] = field(default_factory=_none)
    """Parameters to the host's words for them. One that the host's word says already is left alone; null says
    nothing."""
    unsupported: frozenset[str] = frozenset()
    """Parameters that the host refuses: dropped or refused, as the table's `on_unsupported` says. One that asks for
    what happens anyway is taken out without a word."""
    unneeded: frozenset[str] = frozenset()
    """Parameters that the host refuses and whose effect it has anyway: taken out without a word."""
    fixed: JsonMapping = field(default_factory=_none)
    """Parameters that may only have this value, which is what they mean when they are left out."""
    values: Mapping[str, Mapping[JsonValue, JsonValue]] = field(default_factory=_none)
    """Values that the host refuses, and the nearest that it takes."""
    reasoning_models: re.Pattern[str] | None = None
    """The models for which `unsupported_in_reasoning` holds."""
    unsupported_in_reasoning: frozenset[str] = frozenset()
    """Parameters that only reasoning models refuse."""
    messages: MessageRules | None = None
    """Those of its messages; None where they are sent as they came."""
    openai_models: bool = False
    """The host's models are OpenAI's: of a request that another format was translated to, what they refuse is left
    out."""
    extensions: bool = False
    """The host has models of many vendors, and is sent what only one of them understands (`extra_content`)."""
    short_tool_ids: bool = False
    """Ids of tool calls must be nine letters and digits."""
    openai_tool_ids: bool = False
    """Ids of tool calls may have no more characters than OpenAI's."""
    tool_by_filter: bool = False
    """Of a `tool_choice` that names tools those alone are sent, and whether one must be called."""
    schema_in_words: bool = False
    """The host holds an answer to no schema: it is asked for JSON, and told the schema in a message."""
    typed_unions: bool = False
    """A tool's parameter with `oneOf` needs a `type` beside it."""


@dataclass(frozen=True, slots=True)
class ReplyRules:
    """What becomes of answers and chunks on their way to OpenAI's form."""

    finish: Mapping[str, str] = field(default_factory=_none)
    """The host's finish reasons in OpenAI's words."""
    failures: Mapping[str, str] = field(default_factory=_none)
    """Finish reasons that say the host failed, with the error code they stand for."""
    usage: Callable[[JsonMapping], JsonMapping] | None = None
    """Counts as OpenAI counts them."""
    usage_beside: str = ""
    """A field that may hold `usage` where the chunk itself has none."""
    content_parts: bool = False
    """Content may come as a list of text and thinking parts."""


@dataclass(frozen=True, slots=True)
class ErrorRules:
    """What becomes of error responses before they are read as OpenAI's."""

    statuses: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """Statuses of the host's own, and those that OpenAI would have sent."""
    credential_words: tuple[str, ...] = ()
    """Words of a 400 that is about this gateway's key, not about the request."""
    moderation: bool = False
    """A 403 with reasons is a refusal of the content, not of the key."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host: how it is told who calls, and its rules."""

    request: RequestRules = RequestRules()
    reply: ReplyRules = ReplyRules()
    errors: ErrorRules = ErrorRules()
    auth_header: str = "Authorization"
    auth_scheme: str = "Bearer "
