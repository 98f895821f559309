"""What a dialect has in place of channels and streams whose answers are not text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from sentinel_core.dialects.lanes import decomposed, recomposed
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish
from sentinel_core.messages import Answer, Request


class Unstreamed:
    """The half of `Dialect` that is about streams, for one that has none: an answer's strings are all outside the
    channels, and nobody can ask for a stream."""

    def decompose(self, answer: Answer) -> tuple[Event, ...]:
        """An answer as events: its strings, of which none is in a channel, and its usage."""
        return decomposed(answer, ())

    def ends(self, answer: Answer) -> Sequence[Finish]:
        """None: such an answer has no choices."""
        return ()

    def recompose(self, answer: Answer, events: Sequence[Event]) -> Answer:
        """The answer with the texts that a stream stage made of `decompose(answer)`."""
        return recomposed(answer, (), events)

    def assemble(self, events: Sequence[Event]) -> Answer:
        """Raises TypeError: there is no stream to assemble."""
        raise _no_stream()

    def stream_frames(self, answer: Answer) -> tuple[Event, ...]:
        """Raises TypeError: no request asks for a stream."""
        raise _no_stream()

    def stream_decoder(self) -> NoReturn:
        """Raises `UpstreamError`: an upstream that streams such an answer has not understood the request."""
        raise UpstreamError("upstream_invalid_response")

    def stream_encoder(self, request: Request) -> NoReturn:
        """Raises TypeError: no request asks for a stream."""
        raise _no_stream()


def _no_stream() -> TypeError:
    return TypeError("this dialect has no streams")
