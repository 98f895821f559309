"""What belongs to one request: its `Context`, the `Call`s at the upstream, and how it ended, the `Outcome`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from sentinel_core.attempt import Attempt
from sentinel_core.events import Extent, TextEvent
from sentinel_core.facts import Facts
from sentinel_core.keys import Target, Verdict
from sentinel_core.messages import Answer, Request
from sentinel_core.usage import Usage

if TYPE_CHECKING:
    from sentinel_core.reply import EventStream


class Client(msgspec.Struct, frozen=True):
    """Who is on the other end of the connection; empty for calls in process.

    `address` is the client's IP, `headers` the request's headers with lower-case names, `route` the path that is
    served. Nothing here is forwarded.
    """

    address: str = ""
    headers: Mapping[str, str] = {}
    route: str = ""


class Restoration(Protocol):
    """Puts the caller's own values back into an answer, outside of every output guard."""

    def answer(self, answer: Answer) -> Answer:
        """The answer to hand to the caller."""
        ...

    def event(self, event: TextEvent) -> TextEvent | None:
        """The event to hand on, or None to hold its text until the next event of its lane."""
        ...

    def rest(self, choice: int | None = None) -> tuple[TextEvent, ...]:
        """What is still held for a choice that ends, or for all when the stream does."""
        ...


class ResponseHeaders(dict[str, str]):
    """Headers for the caller. Writable until the response is committed; later writes are dropped. A value that is no
    string raises `TypeError` where it is set."""

    __slots__ = ("committed",)

    def __init__(self) -> None:
        self.committed = False

    def __setitem__(self, name: str, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"the response header {name!r} must be a string, got {type(value).__name__}")
        if not self.committed:
            dict.__setitem__(self, name.lower(), value)

    def put(self, headers: Mapping[str, str]) -> None:
        """Several at once; their names are in lower case."""
        "".join(headers.values())  # raises for what is no string, and costs next to nothing
        if not self.committed:
            dict.update(self, headers)


class Context(Facts):
    """One request on its way through the chain.

    It is the dict of its typed facts: stages read and write them (`ctx[KEY]`, `ctx.get(KEY)`, `KEY in ctx`), replace
    `ctx.request`, and set response headers. `deadline` is a time of the monotonic clock in seconds, or None. `attempts`
    only grows.

    The chain keeps the rest: `findings` and `unread` hold the guards that noted so (`note_finding`, `note_unread`) for
    the verdicts, `restorations` what was registered with `restore_with`, in that order. `stage_names` names the chain's
    stages in order and is one object for all requests of a generation, `stage_seconds` has each one's own time so far.
    """

    __slots__ = (
        "attempts",
        "client",
        "deadline",
        "findings",
        "headers",
        "id",
        "request",
        "restorations",
        "stage_names",
        "stage_seconds",
        "unread",
    )

    def __init__(
        self,
        request: Request,
        *,
        id: str = "",  # noqa: A002 - the domain's word
        client: Client | None = None,
        deadline: float | None = None,
    ) -> None:
        self.request = request
        self.id = id
        self.client = client or Client()
        self.deadline = deadline
        self.headers = ResponseHeaders()
        self.attempts: list[Attempt] = []
        self.findings: set[str] = set()
        self.unread: frozenset[str] = frozenset()
        self.restorations: list[Restoration] = []
        self.stage_names: tuple[str, ...] = ()
        self.stage_seconds: list[float] = []

    @property
    def timings(self) -> dict[str, float]:
        """Each stage's own time so far, in seconds, in chain order."""
        return dict(zip(self.stage_names, self.stage_seconds, strict=True))

    def restore_with(self, restoration: Restoration) -> None:
        """Register a transform that the exchange applies to the reply last, outside of every output guard."""
        self.restorations.append(restoration)

    def note_finding(self, guard: str) -> None:
        """Say that `guard` found something and let it pass (`flag`, `warn`): its verdict becomes `monitored`."""
        self.findings.add(guard)

    def note_unread(self, guard: str) -> None:
        """Say that `guard` let pass what it did not read: its verdict, on the request until that is stated and then on
        the reply, is `partial` where it would be `allowed`."""
        self.unread |= {guard}


class Owner(Protocol):
    """Who closes a reply: the exchange, or whoever opened the call on its own account."""

    def adopt(self, stream: EventStream) -> None:
        """Take over the duty to close this stream."""
        ...


class Call(msgspec.Struct, frozen=True):
    """One attempt at the upstream: the request as it will be sent, and where to.

    `attempt` is 0 until the innermost link draws the number. Legs derive by `call.to(target)` and share nothing
    mutable.
    """

    request: Request
    target: Target
    owner: Owner
    attempt: int = 0
    deadline: float | None = None
    request_id: str = ""

    def to(self, target: Target) -> Call:
        """The same call at another target."""
        return msgspec.structs.replace(self, target=target)


CallNext = Callable[[Call], Any]  # Any: a Reply, or an awaitable of one
"""`await call_next(call)` gives the reply of the next link inwards."""

Status = Literal["completed", "refused", "failed", "cancelled"]


class Report(Protocol):
    """Where an `Outcome` finds what is only worked out when somebody asks."""

    def guarded(self) -> Answer | None:
        """The reply after the output guards, assembled for streams."""
        ...

    def finish_reason(self) -> str | None:
        """How the first choice of the reply ended."""
        ...

    def extents(self) -> tuple[Extent, Extent]:
        """What the upstream produced, and what left the chain."""
        ...

    def verdicts_given(self) -> tuple[Verdict, ...]:
        """One verdict per guard and direction."""
        ...


class Outcome:
    """How one exchange ended; every `on_finish` gets the same one.

    Of its fields only `guarded` holds text. Times are seconds since the exchange opened.
    """

    __slots__ = (
        "_extents",
        "_guarded",
        "_report",
        "_verdicts",
        "elapsed_s",
        "error",
        "first_event_s",
        "status",
        "usage",
    )

    def __init__(
        self,
        status: Status,
        report: Report,
        *,
        error: BaseException | None = None,
        usage: Usage | None = None,
        first_event_s: float | None = None,
        elapsed_s: float = 0.0,
    ) -> None:
        self.status: Status = status
        self.error = error
        self.usage = usage
        self.first_event_s = first_event_s
        self.elapsed_s = elapsed_s
        self._report = report
        self._guarded: tuple[Answer | None] | None = None
        self._extents: tuple[Extent, Extent] | None = None
        self._verdicts: tuple[Verdict, ...] | None = None

    def __repr__(self) -> str:
        return f"Outcome({self.status!r}, error={self.error!r}, usage={self.usage!r})"

    @property
    def guarded(self) -> Answer | None:
        """The reply's text after the output guards and before restoration; None if nothing came back, or what came is
        no answer as a whole."""
        if self._guarded is None:
            self._guarded = (self._report.guarded(),)
        return self._guarded[0]

    @property
    def finish_reason(self) -> str | None:
        """How the first choice of the reply ended: `stop`, `length`, …; None if it did not. Assembles nothing."""
        return self._report.finish_reason()

    @property
    def produced(self) -> Extent:
        """How much the upstream sent."""
        return self._both_extents()[0]

    @property
    def delivered(self) -> Extent:
        """How much left the chain."""
        return self._both_extents()[1]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What every guard did, per direction."""
        if self._verdicts is None:
            self._verdicts = self._report.verdicts_given()
        return self._verdicts

    def _both_extents(self) -> tuple[Extent, Extent]:
        if self._extents is None:
            self._extents = self._report.extents()
        return self._extents
