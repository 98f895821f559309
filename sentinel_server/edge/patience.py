"""How long a client waits for an answer before it gives up, as far as it says so."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMES = (b"x-stainless-read-timeout", b"x-stainless-timeout")
"""What the SDKs of OpenAI and Anthropic say, in seconds."""
_EXACT = b"python"
"""The one language whose SDKs say all of it. Those for Node, Go and Java say whole seconds, and leave out the rest."""
_LEFT_OUT_S = 1.0
_SECONDS = re.compile(rb"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def patience_s(headers: Mapping[bytes, bytes], most_s: float) -> float:
    """How long to work on a whole answer: `most_s`, or what the client says if that is shorter.

    Whole seconds of a client that leaves out the rest stand for the longest that they may mean; a limit of nothing is
    none. Streams are another matter: there the client's limit is between two of its reads.
    """
    rest_s = 0.0 if headers.get(b"x-stainless-lang") == _EXACT else _LEFT_OUT_S
    named = (headers[name] for name in _NAMES if name in headers)
    said = (float(text) + (0.0 if b"." in text else rest_s) for text in named if _SECONDS.fullmatch(text))
    return min([most_s, *(seconds for seconds in said if seconds > 0)])
