"""What every provider over HTTP does with a response: read it as one dialect, give it to the client in another.

A native provider needs little more than `outgoing` (the body to send), `reply_of` (what came back) and `refusal_of`
(a status that is not 2xx). No I/O of its own: everything is behind `services.HttpResponse`.
"""

from sentinel_core.upstream.outgoing import Adapt, OnUnsupported, Outgoing, outgoing
from sentinel_core.upstream.refused import ErrorReader, refusal_of
from sentinel_core.upstream.reply import Limits, Reader, reply_of
from sentinel_core.upstream.stream import MAX_HELD_EVENTS, Framing, UpstreamStream

__all__ = [
    "MAX_HELD_EVENTS",
    "Adapt",
    "ErrorReader",
    "Framing",
    "Limits",
    "OnUnsupported",
    "Outgoing",
    "Reader",
    "UpstreamStream",
    "outgoing",
    "refusal_of",
    "reply_of",
]
