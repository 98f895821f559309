"""Decision or fault: what an exception out of a stage means, and what the log says of it."""

from __future__ import annotations

import logging

from sentinel_core.cancellation import unasked
from sentinel_core.chain.entry import Entry
from sentinel_core.errors import SentinelError, StageFault
from sentinel_core.place import place

log = logging.getLogger("sentinel.chain")


class WrongResult(TypeError):
    """A plugin gave the chain what it has no use for. The text names types and phases only, and can be logged."""


def is_fault(exc: BaseException) -> bool:
    """Whether an exception is a stage's failure, and neither a decision, an upstream's error nor a request to end."""
    return (isinstance(exc, Exception) and not isinstance(exc, SentinelError)) or unasked(exc)


def as_fault(entry: Entry, phase: str, exc: BaseException, reason: str = "raised") -> StageFault:
    """The fault to raise, logged once by type and place, never with text."""
    fault = StageFault(entry.name, phase, guard=entry.guard, reason=reason)
    fault.__cause__ = exc
    note(entry, phase, exc, reason)
    return fault


def source_fault(source: str, phase: str, exc: BaseException) -> StageFault:
    """The fault of whoever gives a reply, a provider as a rule: logged like a stage's."""
    fault = StageFault(source, phase)
    fault.__cause__ = exc
    log.error("%s raised in %s: %s", source, phase, _told(exc))
    return fault


def note(entry: Entry, phase: str, exc: BaseException, reason: str = "raised") -> None:
    """Log a fault by stage, phase and exception type. Texts stay out: they may quote a prompt."""
    log.error("stage %s %s in %s: %s", entry.name, reason, phase, _told(exc))


def _told(exc: BaseException) -> str:
    """What the log says of an exception: type and place, or what a plugin gave in the place of what."""
    return str(exc) if isinstance(exc, WrongResult) else f"{type(exc).__name__} ({place(exc)})"
