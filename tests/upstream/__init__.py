"""A scripted upstream for tests: raw sockets, every fault of the matrix, and a record of what arrived."""

from tests.upstream.link import Received
from tests.upstream.payloads import DONE, USAGE, chat_stream, chunk, completion, delta, gzip_bomb, sse
from tests.upstream.scenarios import (
    Close,
    Drip,
    Early,
    Endless,
    Hold,
    Part,
    Pause,
    Raw,
    Redirect,
    Reply,
    Reset,
    Scenario,
    Stall,
    Stream,
    head,
)
from tests.upstream.server import Upstream

__all__ = [
    "DONE",
    "USAGE",
    "Close",
    "Drip",
    "Early",
    "Endless",
    "Hold",
    "Part",
    "Pause",
    "Raw",
    "Received",
    "Redirect",
    "Reply",
    "Reset",
    "Scenario",
    "Stall",
    "Stream",
    "Upstream",
    "chat_stream",
    "chunk",
    "completion",
    "delta",
    "gzip_bomb",
    "head",
    "sse",
]
