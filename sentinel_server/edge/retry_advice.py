"""What an error's headers tell a client about trying again: later, or with a key."""

from __future__ import annotations

import math

from sentinel_core.errors import MAX_RETRY_AFTER_S, SentinelError
from sentinel_server.edge.cors import RawHeaders

UNAVAILABLE_S = 1.0
CHALLENGE = (b"www-authenticate", b"Bearer")  # RFC 9110, section 15.5.2: no 401 without one


def error_headers(error: SentinelError) -> RawHeaders:
    """The retry advice of one error, as the official SDKs read it; of a 401, how to say who one is.

    A 503 that may be tried again always names a wait; a 429 only one that is known, because a guess would be obeyed
    (U16). A wait beyond two minutes is not announced: SDKs ignore it, so they are told not to retry.
    """
    wait = error.retry_after_s
    if wait is None and error.status == 503 and error.should_retry:
        wait = UNAVAILABLE_S
    retry = error.should_retry and (wait is None or wait <= MAX_RETRY_AFTER_S)
    advice = ((b"x-should-retry", b"true" if retry else b"false"),)
    if error.status == 401:
        return (*advice, CHALLENGE)
    if error.status not in (429, 503) or wait is None or wait > MAX_RETRY_AFTER_S:
        return advice
    seconds = max(1, math.ceil(wait))
    milliseconds = max(1, math.ceil(wait * 1000))
    return (*advice, (b"retry-after", b"%d" % seconds), (b"retry-after-ms", b"%d" % milliseconds))
