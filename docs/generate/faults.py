"""The fault contract: what each fault of an upstream becomes. What is decided about an error is asked of the code that
decides it, and the proofs are found by the names of the tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from docs.generate.markdown import table
from sentinel_core.blame import blame
from sentinel_core.errors import UpstreamError
from sentinel_plugins.retry.delay import repeatable
from sentinel_plugins.routing.causes import falls_back
from sentinel_plugins.routing.config import RoutingConfig

TESTS = Path(__file__).parent.parent.parent / "tests"
NAMES = re.compile(r'(?:def test_|^    "|id=")(\w+)', re.MULTILINE)
ID = re.compile(r"([a-z]+\d+)[a-d]?")

HEAD = """# The fault contract

What becomes of everything that can go wrong behind the gateway. It is the same for every provider, since all of them
share one way of reading an upstream, and providers say only which error is theirs
([add a provider](../tutorials/add-a-provider.md)).

- *Again*: whether `retry` may repeat the call at the same target; see [resilience](resilience.md) for how often and how
  soon. *Next*: whether `routing` tries another target. *Circuit*: what `breaker` counts.
- Up to the first content of an answer nothing has been shown to anybody, so a fault that comes earlier than its row
  says is treated like the row of its kind before the answer. Afterwards there is no way back: the caller keeps what
  came, and gets one error event instead of an end. No `[DONE]`, no invented `finish_reason`.
- Whoever answers in the end, the caller gets the error of the last call that was made. After more than one it says
  `x-should-retry: false`.
- Every call has a row in `ctx.attempts` with its ending, its error and, where the provider reported any, its usage.
- The provider's own words reach the caller where the table says so, after every guard has read them; its key,
  address, headers and pages never do.

"""

COLUMNS = ("row", "fault", "the caller gets", "again", "next", "circuit", "proved in")
NEXT = "the next target's answer; from nobody "
ENDS = "what came, then an error event "


class Row(NamedTuple):
    """One kind of fault. `error` is what it is raised as, where it is one; `late` says that it comes after content."""

    id: str
    fault: str
    gets: str
    error: UpstreamError | None = None
    late: bool = False


def _status(code: str, status: int) -> UpstreamError:
    return UpstreamError(code, upstream_status=status)


ROWS = (
    Row("U01", "the connection is refused", NEXT + "502 `upstream_unreachable`", UpstreamError("upstream_unreachable")),
    Row("U02", "the name is unknown, or its server hangs", "as U01", UpstreamError("upstream_unreachable")),
    Row(
        "U03",
        "no secure connection: expired, another name, an unknown issuer, a handshake that hangs",
        NEXT + "502 `upstream_tls_error`",
        UpstreamError("upstream_tls_error"),
    ),
    Row(
        "U04",
        "a reset before the head of the answer",
        NEXT + "502 `upstream_connection_reset`",
        UpstreamError("upstream_connection_reset"),
    ),
    Row("U05", "a connection of the pool that had gone stale", "the answer, over a fresh one; this counts nowhere"),
    Row(
        "U06",
        "no head within `first_byte_timeout_s`",
        NEXT + "504 `upstream_timeout`; the connection is closed",
        UpstreamError("upstream_timeout"),
    ),
    Row("U07", "a head, then silence", "as U06: no status has been sent yet", UpstreamError("upstream_timeout")),
    Row(
        "U08",
        "silence in the middle of a stream, for `idle_timeout_s`",
        ENDS + "`upstream_timeout`",
        UpstreamError("upstream_timeout"),
        late=True,
    ),
    Row(
        "U09",
        "a stream that is broken off, bad chunks, or an end without a reason to finish; an end marker alone is none",
        ENDS + "`upstream_stream_interrupted`",
        UpstreamError("upstream_stream_interrupted"),
        late=True,
    ),
    Row("U09c", "an end after the reason to finish, without an end marker", "a complete answer, with the marker"),
    Row("U10", "dirt between events: comments, pings, line ends, a BOM, cuts anywhere", "the same events, clean"),
    Row("U10", "a BOM ahead of a whole answer; half of a surrogate pair in a text", "the answer; U+FFFD for the half"),
    Row(
        "U11",
        "an event that cannot be read",
        ENDS + "`upstream_invalid_response`",
        UpstreamError("upstream_invalid_response"),
        late=True,
    ),
    Row(
        "U12",
        "a whole answer that is none: no JSON, cut off, empty, without choices",
        NEXT + "502 `upstream_invalid_response`",
        UpstreamError("upstream_invalid_response", upstream_status=200),
    ),
    Row(
        "U12",
        "in a whole answer, a call of a tool whose arguments are no JSON object, where the caller's format takes "
        "nothing else; in a stream they are handed on as they come",
        NEXT + "502 `invalid_tool_arguments`; where the answer was cut off in them, an empty input",
        UpstreamError("upstream_invalid_response", wire_code="invalid_tool_arguments", should_retry=False),
    ),
    Row(
        "U13",
        "an error with status 200, in a body or a stream",
        "what the same error says with a status of its own",
        _status("upstream_error", 200),
    ),
    Row(
        "U14",
        "a page of HTML",
        NEXT + "502 `upstream_invalid_response`; nothing of the page",
        UpstreamError("upstream_invalid_response", upstream_status=200),
    ),
    Row("U15", "a stream where an answer was asked for, or the reverse", "what was asked for"),
    Row(
        "U16",
        "429",
        NEXT + "429 with the provider's own wait; none is invented, and above 120 s nobody shall retry",
        UpstreamError("rate_limit_exceeded", upstream_status=429, retry_after_s=2.0),
    ),
    Row(
        "U17",
        "500, 502, again and again",
        NEXT + "502 `upstream_error`, after a few of them 503 `circuit_open` at once, with the rest of the wait",
        _status("upstream_error", 500),
    ),
    Row("U17", "503, 529", NEXT + "503 `overloaded`", _status("overloaded", 503)),
    Row("U18", "400, 413, 422", "status and words of the provider", _status("invalid_request", 400)),
    Row(
        "U18",
        "any other 4xx, save 408, which is a timeout",
        "502 `upstream_error`, which says not to retry, but for 425",
        UpstreamError("upstream_error", upstream_status=409, should_retry=False),
    ),
    Row("U18", "404", NEXT + "status and words of the provider", _status("model_not_found", 404)),
    Row(
        "U19",
        "401, 403: it refuses this gateway's key",
        NEXT + "502 `upstream_auth_error`, never a 401",
        _status("upstream_auth_error", 401),
    ),
    Row(
        "U20",
        "402, or a balance or quota that is used up",
        NEXT + "503 `upstream_quota`, which says not to retry and names no wait",
        UpstreamError("overloaded", upstream_status=402, wire_code="upstream_quota", should_retry=False),
    ),
    Row(
        "U21",
        "bytes that drip without end",
        ENDS + "`upstream_timeout`, at `total_timeout_s`",
        UpstreamError("upstream_timeout"),
        late=True,
    ),
    Row(
        "U22",
        "an answer, an event, or what it unpacks to, beyond the limits of size",
        NEXT + "502 `upstream_invalid_response`; memory stays bounded",
        UpstreamError("upstream_invalid_response", should_retry=False),
    ),
    Row(
        "U23",
        "a redirect",
        "502 `upstream_redirect`; the other host hears nothing",
        _status("upstream_redirect", 307),
    ),
    Row("U24", "hostile response headers", "none of them: only bodies are handed on"),
    Row(
        "U25",
        "more after the end marker or the whole answer, or a connection that stays open",
        "the answer; the rest is dropped",
    ),
    Row("U26", "usage that is missing or makes no sense", "the answer; an explicit 0 is kept, nonsense is left out"),
    Row(
        "U27",
        "an answer before the request was read, then the end of the connection",
        "that answer, not a reset",
        _status("request_too_large", 413),
    ),
    Row("U28", "several choices and tool calls, interleaved", "each in its own place; success once all are finished"),
)


def faults_page() -> str:
    """The page `reference/faults.md`."""
    return HEAD + table(COLUMNS, map(_line, ROWS))


def proofs(row: str) -> list[str]:
    """The files with tests that have this row's id in their names, below `tests/`."""
    return sorted(path for path, ids in _named().items() if row.lower() in ids)


@cache
def _named() -> Mapping[str, set[str]]:
    """The ids in the names of each file's tests and cases: `test_u22a_u26_a_bomb` has two."""
    found: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        names = NAMES.findall(path.read_text("utf-8"))
        ids = (ID.fullmatch(part) for name in names for part in name.split("_")[:-1])
        found[path.relative_to(TESTS).as_posix()] = {name for match in ids if match for name in match.group(0, 1)}
    return found


def _line(row: Row) -> tuple[str, ...]:
    links = ", ".join(f"[{Path(name).stem}](../../tests/{name})" for name in proofs(row.id))
    return (row.id, row.fault, row.gets, *_decided(row), links)


def _decided(row: Row) -> tuple[str, str, str]:
    """What the three stages make of the error."""
    error = row.error
    if error is None:
        return "", "", "success"
    circuit = blame(error, deadline=None, now=0.0)
    if row.late:
        return "no", "no", circuit
    again = ("after its wait" if error.retry_after_s else "yes") if repeatable(error) else "no"
    return again, "yes" if falls_back(RoutingConfig(), error) else "no", circuit
