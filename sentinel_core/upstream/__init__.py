"""What every provider over HTTP does: one exchange within its limits, read as one dialect, given in another.

A native provider needs little more than its addresses, the body to send (`outgoing`, or `outgoing_native` for an API
that no client of the gateway speaks) and what an error means. No I/O of its own: everything is behind
`services.HttpClient`.
"""

from sentinel_core.upstream.config import BaseUrlConfig, UpstreamConfig, header_problems, url_problems
from sentinel_core.upstream.native import NativeChat
from sentinel_core.upstream.outgoing import Adapt, OnUnsupported, Outgoing, outgoing, outgoing_native
from sentinel_core.upstream.provider import HttpProvider
from sentinel_core.upstream.refused import ErrorReader, refusal_of
from sentinel_core.upstream.reply import Limits, Reader, reply_of
from sentinel_core.upstream.stream import MAX_HELD_EVENTS, Framing, UpstreamStream
from sentinel_core.upstream.withheld import Withheld

__all__ = [
    "MAX_HELD_EVENTS",
    "Adapt",
    "BaseUrlConfig",
    "ErrorReader",
    "Framing",
    "HttpProvider",
    "Limits",
    "NativeChat",
    "OnUnsupported",
    "Outgoing",
    "Reader",
    "UpstreamConfig",
    "UpstreamStream",
    "Withheld",
    "header_problems",
    "outgoing",
    "outgoing_native",
    "refusal_of",
    "reply_of",
    "url_problems",
]
