"""The table `[stages.audit]`."""

from __future__ import annotations

from typing import Literal

from sentinel_core.config import Count, Seconds, Secret
from sentinel_core.stage import StageConfig
from sentinel_plugins.recording.journal import MOST

MIN_KEY_CHARS = 16


class AuditConfig(StageConfig, frozen=True, kw_only=True):
    """One record in the record store for every request that can be read. Without a `key` nobody can prove that none was
    changed."""

    guarantee: Literal["best_effort", "required"] = "best_effort"
    """`best_effort` serves requests while the record store does not answer, and counts the records that found no room.
    `required` writes an intent before a provider is called, and refuses the request with 503 `ledger_unavailable` where
    that fails: choose it where a call without a trace must not happen."""
    lost_after_s: Seconds = 3600.0
    """How long after its intent a request without an end is taken for lost, and ended: longer than `request_timeout_s`
    of `[server]`, which any may take."""
    key: Secret | None = None
    """Chains the records of each writer, so that `sentinel audit verify` finds what was edited, deleted or moved. At
    least 16 characters; keep it away from the record store."""
    previous_keys: tuple[Secret, ...] = ()
    """Keys that older records and checkpoints were signed with, while there are such: what they signed is believed, and
    nothing new is signed with them. One that somebody else may know does not belong here: what it signs proves
    nothing."""
    checkpoints: str = ""
    """A file for signed notes of how far the records go: the end of a chain is missed only if somebody noted it.
    Keep it where whoever can write the record store cannot. A relative path starts at the working directory; every
    worker appends to it, and so must every gateway on the same records. Its folder must exist: a volume that is not
    mounted is an error."""
    checkpoint_interval_s: Seconds = 10.0
    """At most so often such a note is written; another one when the gateway closes."""
    content: bool = False
    """Keep texts as well: the request and the answer as the guards left them, and only if no guard refused either."""
    retention_s: Seconds = 86_400.0
    """Records older than this are deleted. A day unless you must keep them for longer."""
    max_waiting: Count = MOST
    """Records that may wait while the record store does not answer. Further ones are dropped, counted and logged."""
    max_waiting_bytes: Count = 64 * 2**20
    """The same of the texts in them, with `content`."""

    def __post_init__(self) -> None:
        problems = []
        if self.key is not None and len(self.key.reveal()) < MIN_KEY_CHARS:
            problems.append(f"key: must be at least {MIN_KEY_CHARS} characters")
        if any(len(key.reveal()) < MIN_KEY_CHARS for key in self.previous_keys):
            problems.append(f"previous_keys: each must be at least {MIN_KEY_CHARS} characters")
        if self.key is None and self.previous_keys:
            problems.append("previous_keys: needs a key that took their place")
        if self.key is None and self.checkpoints:
            problems.append("checkpoints: needs a key to sign them with")
        if self.guarantee == "required" and self.retention_s <= self.lost_after_s:
            problems.append("retention_s: must be longer than lost_after_s, where a request without an end is ended")
        if problems:
            raise ValueError(*problems)
