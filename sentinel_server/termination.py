"""Termination codes: two letters that say who ended an exchange and how far it had come, after HAProxy's.

First letter, who: `C` the client left · `c` the client was too slow · `S` the upstream failed · `s` the upstream was
too slow · `P` the gateway refused (policy, limits, bad requests) · `I` an internal fault · `L` the gateway is draining.
Second letter, when: `B` the request's body was being read · `R` nothing was sent upstream yet · `Q` the same, seen from
a client that left: it was waiting for admission · `C` no connection to an upstream, or between two attempts · `H` the
upstream was at work and no byte of its answer had left · `D` the answer was on its way to the client.

| code | meaning |
|---|---|
| `--` | complete: an answer, or an error that the upstream itself answered (4xx) |
| `CB` `cB` | the client left, or was too slow (408), while sending its body |
| `CQ` | the client left before anything was sent upstream |
| `CC` | the client left between two attempts |
| `CH` `CD` | the client left before, or after, the first byte of the answer |
| `cD` | the client did not read for too long |
| `SC` | no upstream could be reached, or its breaker is open |
| `SH` `SD` | the upstream failed before, or after, the first byte of the answer |
| `sH` `sD` | the upstream, or the request's deadline, ran out of time before, or after, that byte |
| `PR` `PH` `PD` | refused: the request, the answer, the answer after its first byte |
| `IR` `IH` `ID` | an internal fault, at the same three places |
| `LR` `LH` `LD` | draining: refused, cut before, cut after the first byte |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sentinel_core.attempt import Attempt
from sentinel_core.errors import SentinelError, UpstreamError

Cause = Literal["client", "body", "stalled", "deadline"]
"""Why the edge ended a request's task."""

_INTERNAL = frozenset({"internal_error", "guard_unavailable", "state_unavailable", "ledger_unavailable"})
_UNREACHED = frozenset({"upstream_unreachable", "upstream_tls_error", "circuit_open"})


def termination(
    error: SentinelError | None,
    attempts: Sequence[Attempt],
    *,
    cause: Cause | None,
    at: float,
    body_read: bool,
    answering: bool,
) -> str:
    """The code of one exchange.

    `cause` and `at` (monotonic seconds) tell who ended the task and when, `body_read` that the request had arrived
    completely, `answering` that a byte of the answer had left.
    """
    if cause == "client":
        return "C" + _left(attempts, at, body_read=body_read, answering=answering)
    if cause == "body":
        return "cB"
    if cause == "stalled":
        return "cD"
    if error is None:
        return "--"
    return _failed(error, "D" if answering else "H" if attempts else "R")


def _left(attempts: Sequence[Attempt], at: float, *, body_read: bool, answering: bool) -> str:
    if not body_read:
        return "B"
    if answering:
        return "D"
    if not attempts:
        return "Q"
    waiting = all(row.ending == "failed" and row.ended is not None and row.ended < at for row in attempts)
    return "C" if waiting else "H"


def _failed(error: SentinelError, phase: str) -> str:
    if error.code == "draining":
        return "L" + phase
    if error.code in _INTERNAL:
        return "I" + phase
    if not isinstance(error, UpstreamError):
        return "P" + phase
    if error.code in _UNREACHED:
        return "SC"
    if error.code == "upstream_timeout":
        return "sD" if phase == "D" else "sH"
    if error.status < 500 and phase != "D":
        return "--"
    return "SD" if phase == "D" else "SH"
