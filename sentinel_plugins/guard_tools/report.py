"""What `POST /v1/guard` takes and says. Nothing of a text is in an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from sentinel_core.dialects.openai_chat.fields import KNOWN_KEYS
from sentinel_core.dialects.slots import KEY, Path
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject
from sentinel_core.keys import Finding, Principal, VerdictResult
from sentinel_core.stage import Mode
from sentinel_plugins.guard_tools.guards import Asked, Checked, Direction

_SOME = Meta(min_length=1)
Texts: TypeAlias = str | Annotated[list[str], _SOME]

_WORST: tuple[VerdictResult, ...] = (
    *("blocked", "error", "partial", "masked", "monitored", "allowed"),
    "not_evaluated",
)
"""Of several verdicts the first of these counts."""


class GuardQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts, or the messages of a chat, to show to the guards: as what a user asks (`request`), or as what a model
    answers (`response`), which are texts only. Without `guards` all of them are asked."""

    text: Texts | None = None
    messages: Annotated[list[JsonObject], _SOME] | None = None
    direction: Direction = "request"
    guards: tuple[str, ...] | None = None

    def asked(self, principal: Principal | None, id_: str) -> Iterator[Asked]:
        """What to show to each guard on this request: all that is asked together, and what is answered one by one.
        Raises `Refusal`."""
        if (self.text is None) == (self.messages is None):
            raise Refusal("invalid_parameter", "Say either 'text' or 'messages'.", param="text")
        if self.messages is not None:
            if self.direction == "response":
                raise Refusal("invalid_parameter", "Messages are requests; use 'text' for answers.", param="messages")
            yield Asked(self.messages, None, principal, id_)
            return
        texts = [self.text] if isinstance(self.text, str) else self.text or []
        if self.direction == "response":
            yield from (Asked.of(text, "response", principal, id_) for text in texts)
        else:
            yield Asked([{"role": "user", "content": text} for text in texts], None, principal, id_)


class ShownFinding(msgspec.Struct, frozen=True):
    """One thing that was found: what it is, what the guard does about it, in which text it stands, and from which
    character (code point) to which."""

    type: str
    action: str
    at: str
    start: int
    end: int


class GuardReport(msgspec.Struct, frozen=True):
    """What one guard does. `verdict` is that of the audit; of a guard in monitor mode, what it would have found is told
    as `monitored`. `code` is that of a refusal or a failure."""

    guard: str
    mode: Mode
    verdict: VerdictResult
    code: str | None
    findings: tuple[ShownFinding, ...]


class GuardAnswer(msgspec.Struct, frozen=True):
    """What the guards do, each for itself, and the worst of it: `blocked`, `error`, `partial`, `masked`, `monitored`,
    `allowed`, and `not_evaluated` where none looks at this direction."""

    direction: Direction
    verdict: VerdictResult
    guards: tuple[GuardReport, ...]


def answer(question: GuardQuestion, guards: Iterable[GuardReport]) -> GuardAnswer:
    """The whole of it."""
    reports = tuple(guards)
    return GuardAnswer(question.direction, _worst([one.verdict for one in reports]), reports)


def report(question: GuardQuestion, mode: Mode, checked: Sequence[Checked]) -> GuardReport:
    """One guard's part; `checked` has one for each text where these were answers."""
    shown = tuple(_shown(question, place, one) for place, each in enumerate(checked) for one in each.findings)
    code = next((each.code for each in checked if each.code is not None), None)
    return GuardReport(checked[0].guard, mode, _worst([each.result for each in checked]), code, shown)


def _worst(results: Sequence[VerdictResult]) -> VerdictResult:
    return min(results, key=_WORST.index, default="not_evaluated")


def _shown(question: GuardQuestion, place: int, found: Finding) -> ShownFinding:
    if question.messages is not None:
        at = _named(found.path)
    elif isinstance(question.text, str):
        at = "text"
    else:
        at = f"text[{place if question.direction == 'response' else found.path[1]}]"
    return ShownFinding(found.type, found.action, at, found.start, found.end)


def _named(path: Path) -> str:
    """A place as errors name it, `messages[3].content`. Names that the format does not have are the caller's own words,
    and may be what was found: a star stands for each."""
    steps = (step for step in path if step != KEY)
    return "".join(f"[{step}]" if isinstance(step, int) else f".{_word(step)}" for step in steps).removeprefix(".")


def _word(step: str) -> str:
    return step if step in KNOWN_KEYS else "*"
