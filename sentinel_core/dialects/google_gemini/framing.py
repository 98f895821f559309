"""How events of a stream are parted: server-sent events, and errors that come between them as bare JSON.

An error that strikes within a stream has no `data:` before it: the body goes on with the object as it would stand in a
response of its own, on several lines (google-genai's `_api_client.py` reads it so; also vercel/ai issue 5217).
"""

from __future__ import annotations

from sentinel_core.dialects.sse import SseParser

_JSON = frozenset(b'{}[]"')


class GeminiFraming(SseParser):
    """Takes a line of bare JSON for data. No field of the standard begins as one does, so nothing else is lost."""

    __slots__ = ()

    def _field(self, line: bytes) -> bool:
        bare = line.lstrip()
        return self._add(line) if bare and bare[0] in _JSON else super()._field(line)
