"""How long a client waits for an answer before it gives up, as far as it says so."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMES = (b"x-stainless-read-timeout", b"x-stainless-timeout")
"""What the Python and the Node SDKs of OpenAI and Anthropic say, in seconds."""
_SECONDS = re.compile(rb"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def patience_s(headers: Mapping[bytes, bytes], most_s: float) -> float:
    """How long to work on a whole answer: `most_s`, or what the client says if that is shorter.

    Streams are another matter: there the client's limit is between two of its reads.
    """
    named = (headers[name] for name in _NAMES if name in headers)
    return min([most_s, *(float(text) for text in named if _SECONDS.fullmatch(text))])
