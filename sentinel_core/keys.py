"""Shared facts that travel in a `Context`: what one stage states and another reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping
from sentinel_core.limits import Limits
from sentinel_core.permission import Patterns

if TYPE_CHECKING:
    from sentinel_core.messages import Request

T = TypeVar("T")


class Key(Generic[T]):
    """A typed name for a fact in a `Context`; two keys are the same only if they are the same object.

    >>> TENANT: Key[str] = Key("tenant")
    >>> ctx[TENANT] = "acme"

    Values are immutable: a stage replaces a fact, it never mutates one. What a stage wrote that only watches, or fails
    open, is taken back, and a change inside of it would stay: only what nobody but its writer reads may change.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


AnyKey: TypeAlias = Key[Any]  # of whatever type its values are
Keys: TypeAlias = tuple[AnyKey, ...]
"""What a stage reads or writes in one phase."""

Subject: TypeAlias = Literal["tenant", "key", "user"]
"""For whom a limit counts."""


class Principal(msgspec.Struct, frozen=True):
    """Who asks. `tenant` and `id` are the parts of every store key that belongs to the caller.

    `id` is the key's, or the user's where there is no key, or the address of somebody unknown. `models` and `routes`
    are patterns (`gpt-4o*`, `/v1/chat/*`; `sentinel_core.permission` reads them) of what may be asked for; None allows
    all. `limits` binds for the whole tenant, for this key, for this user. `preferences` are the tenant's own settings,
    for whichever stage knows them.
    """

    tenant: str
    id: str
    kind: Literal["anonymous", "key", "user"] = "anonymous"
    user: str | None = None
    scopes: frozenset[str] = frozenset()
    models: Patterns = None
    routes: Patterns = None
    limits: Mapping[Subject, Limits] = {}
    preferences: JsonMapping = {}


class Target(msgspec.Struct, frozen=True):
    """One place that can serve a model: a configured provider, and the model's name there.

    `twin_of` is the provider that this one is another key of, if it is one (`same_as` in its table).
    """

    provider: str
    model: str
    twin_of: str = ""

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"

    @property
    def upstream(self) -> str:
        """Who is called in the end: the same for all keys of one provider."""
        return self.twin_of or self.provider

    def is_twin(self, other: Target) -> bool:
        """Whether both are the same model of the same upstream, by whichever key."""
        return self.model == other.model and self.upstream == other.upstream


VerdictResult = Literal["allowed", "blocked", "masked", "monitored", "partial", "not_evaluated", "error"]


class Verdict(msgspec.Struct, frozen=True):
    """What one guard did with one direction of one exchange.

    `allowed` says that the guard saw the end and changed nothing. `released_chars` counts the characters that left
    the guard towards its destination, also where the verdict is `blocked` or `error`: of all strings that a guard is
    shown, but for names of fields. `unread` says that a part passed that the guard did not read: beside `masked` and
    `monitored`, which say what it did with the rest; `partial` is always so.
    """

    guard: str
    direction: Literal["request", "response"]
    result: VerdictResult
    released_chars: int = 0
    enforcing: bool = True
    unread: bool = False


class Finding(msgspec.Struct, frozen=True):
    """One thing that a guard found in one text, and what it does about it. It holds nothing of the text.

    `path` is the text's in the request or the answer, `start` and `end` count its characters (code points).
    """

    guard: str
    path: tuple[str | int, ...]
    start: int
    end: int
    type: str
    action: str


PRINCIPAL: Key[Principal] = Key("principal")
"""Who asks, written by authentication."""

UNHEARD: Key[bool] = Key("unheard")
"""True where somebody is refused unheard because of what came from their address before, and a record of that is there
from the same minute: who keeps something of every request keeps nothing of this one. Written by authentication."""

CANDIDATES: Key[tuple[Target, ...]] = Key("candidates")
"""Every target that serves the requested model; written by the gateway before the chain, narrowed by stages."""

PLAN: Key[tuple[Target, ...]] = Key("plan")
"""The targets in the order in which they will be tried; without one the first candidate is called."""

MAX_ATTEMPTS: Key[int] = Key("max_attempts")
"""How many calls of providers one request may make, repetitions and fallbacks together; written by retry. The chain
makes no more: whoever asks for one is told `UpstreamError`, not attempted."""

DEFAULT_MAX_ATTEMPTS = 3
"""How many where no stage states another limit."""

SERVED_BY: Key[Target] = Key("served_by")
"""The target whose reply was taken, of the latest call; absent where it was always the one that was called first.
Written by hedge."""

FAILED_BESIDE: Key[Mapping[Target, UpstreamError]] = Key("failed_beside")
"""What targets failed with that were called beside the one whose reply was taken, or whose error is told; written by
hedge, of its latest call."""

FAILOVER: Key[tuple[Target, ...]] = Key("failover")
"""The targets that failed, in the order of the tries, none where the first one replied; written by routing."""

FINDINGS: Key[Callable[[Finding], object]] = Key("findings")
"""Who wants to hear of each finding, with its place. It is there only where somebody asks what guards would do: a guard
that takes values out of texts then tells it, beside doing what it always does. Replies are whole then, and told by
choice."""

INJECTION_SCORE: Key[float] = Key("injection_score")
"""How much the request looks like an attempt to take over the model, from 0 to 1; written by guards that measure it."""


class Changed(msgspec.Struct, frozen=True):
    """What one guard made of a request. `unseen` says that it took characters out that nobody sees. Its `repr` shows no
    text."""

    before: Request
    after: Request
    unseen: bool = False

    def __repr__(self) -> str:
        return f"Changed(unseen={self.unseen})"


AS_IT_CAME: Key[tuple[Changed, ...]] = Key("as_it_came")
"""What guards made of the request, one behind the other: for guards behind them that judge what was written. Written by
guards that replace texts, and only where they did."""
