"""What the author of a stage subclasses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import msgspec

from sentinel_core.errors import ConfigProblem
from sentinel_core.keys import Keys

if TYPE_CHECKING:
    from sentinel_core.config import Settings
    from sentinel_core.services import Services

Phase = Literal["on_request", "dispatch", "on_response", "on_stream", "on_finish"]
OnFault = Literal["closed", "open"]
Mode = Literal["enforce", "monitor"]
Unscannable = Literal["allow", "block"]


class StageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields that every stage's table has. Subclass it (`frozen=True, kw_only=True`) and add your own, under other
    names: what is here already may have another default, and no other type.

    `enabled` is the toggle. `on_fault` says what a fault of this stage does to the request (None: the stage's
    default). `timeout_s` bounds the stage's own time per phase in seconds (None: no timer). `mode` lets a guard watch
    without touching anything. `unscannable` says what becomes of what a guard cannot read or did not: images,
    sound and files of requests and replies, what a provider keeps, strings of replies that it handed on unread.
    """

    enabled: bool = True
    on_fault: OnFault | None = None
    timeout_s: float | None = None
    mode: Mode = "enforce"
    unscannable: Unscannable = "allow"


class Stage:
    """One concern of the chain. Implement some of the five phases and mark each with `@hookimpl`.

    `self` holds configuration and clients only; what belongs to one request lives in `ctx` or in local variables.
    A plain `__init__(self, config)` is enough where nothing needs to be opened.
    """

    name: ClassVar[str]
    """The table's name in `[stages.<name>]`: `[a-z][a-z0-9_]*`."""
    Config: ClassVar[type[StageConfig]] = StageConfig
    on_fault: ClassVar[OnFault] = "closed"
    """What a fault does unless the configuration says otherwise."""
    observer: ClassVar[bool] = False
    """Observers stand first and finish last."""
    guard: ClassVar[bool] = False
    """True for a stage that inspects text; a stage with a reply phase is a guard without saying so."""
    reads_all: ClassVar[bool] = False
    """True for a guard to which it makes no difference what images, sound and files hold: it reads them too, or judges
    something else than contents."""
    detects: ClassVar[bool] = True
    """False for a guard that finds nothing in texts, but judges their size or the form of a request: where guards are
    tried out on texts, it is asked only by its name."""
    reserves: ClassVar[bool] = False
    """True if the stage reserves something in `on_request` that it settles in `on_finish`; it cannot fail open."""
    reads: ClassVar[Mapping[Phase, Keys] | Keys] = ()
    """A tuple of the keys that this stage needs, per phase; a bare one means `on_request`."""
    writes: ClassVar[Mapping[Phase, Keys] | Keys] = ()
    """A tuple of the keys that this stage writes, per phase; a bare one means `on_request`."""
    before: ClassVar[tuple[str, ...]] = ()
    """Names of stages that must come later in the chain, where they are enabled."""
    after: ClassVar[tuple[str, ...]] = ()
    """Names of stages that must come earlier in the chain, where they are enabled."""

    def __init__(self, config: StageConfig) -> None:
        self.config = config

    @classmethod
    def unused(cls, config: Any) -> Collection[str]:  # Any: the stage's own Config
        """Phases that have nothing to do under this configuration: the chain is compiled without them."""
        return ()

    @classmethod
    def authenticates(cls, config: Any) -> bool:  # Any: the stage's own Config
        """Of a stage that writes the principal: whether, under this configuration, callers must say who they are. A
        server refuses to listen beyond loopback where no stage asks them to."""
        return True

    @classmethod
    def missing(cls, config: Any) -> Iterable[ConfigProblem]:  # Any: the stage's own Config
        """What this configuration needs and the machine lacks, such as the packages of an extra. Nothing is imported or
        opened to know it: `sentinel check` tells it as well."""
        return ()

    @classmethod
    def misfits(cls, config: Any, settings: Settings) -> Iterable[ConfigProblem]:  # Any: the stage's own Config
        """What of this configuration does not fit the rest of it, such as a name that nothing has. The tables of
        providers are converted by then."""
        return ()

    @classmethod
    def warnings(cls, config: Any, chain: Sequence[type[Stage]]) -> Iterable[str]:  # Any: the stage's own Config
        """What works, but is hardly what anybody wants, of this configuration among the stages of the chain. It is in
        the banner and said by `sentinel check`."""
        return ()

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the stage's own Config
        """Acquire what the stage needs above the yield, release it below. The default needs nothing.

        In a dry run (`services.dry_run`) the stores keep nothing. What else a stage would make, such as a file, it does
        not.
        """
        yield cls(config)
