"""What no error of a provider may tell: the secrets of its table, and where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from sentinel_core.config import Secret
from sentinel_core.errors import MAX_MESSAGE_CHARS, MAX_WORD_CHARS, UpstreamError
from sentinel_core.upstream.config import UpstreamConfig

MIN_WITHHELD_CHARS = 8
"""What is shorter may be an ordinary word, and is left where it stands."""
KEY_MARKER = "[secret]"
ADDRESS_MARKER = "[address]"


class Withheld:
    """The texts of one table that are struck from its upstream's errors: an upstream may repeat the key that it was
    sent, and guards find only secrets of a known form."""

    __slots__ = ("_markers",)

    def __init__(self, config: UpstreamConfig) -> None:
        markers = dict.fromkeys(_addresses(config.root()), ADDRESS_MARKER)
        for secret in secrets_of(config):
            markers |= dict.fromkeys(_credentials(secret), KEY_MARKER)
        self._markers = {text: marker for text, marker in markers.items() if len(text) >= MIN_WITHHELD_CHARS}

    def strike(self, error: UpstreamError) -> None:
        """Put markers in their place, in every text of the error that is told."""
        error.say(
            self._struck(error.message, MAX_MESSAGE_CHARS),
            self._struck(error.type, MAX_WORD_CHARS),
            self._struck(error.param or "", MAX_WORD_CHARS),
            self._struck(error.wire_code or "", MAX_WORD_CHARS),
        )

    def _struck(self, said: str, limit: int) -> str:
        """The text with one marker for each place, or for several that overlap. `limit` is where it was cut."""
        parts: list[str] = []
        shown = 0
        for start, end, marker in sorted(self._places(said, limit)):
            if start >= shown:
                parts += said[shown:start], marker
            shown = max(shown, end)
        return "".join([*parts, said[shown:]])

    def _places(self, said: str, limit: int) -> Iterator[tuple[int, int, str]]:
        for text, marker in self._markers.items():
            start = said.find(text)
            while start >= 0:
                yield start, start + len(text), marker
                start = said.find(text, start + 1)
            if len(said) >= limit:  # the cut may have left the beginning of one
                yield len(said) - _begun(said, text), len(said), ""


def secrets_of(value: object) -> Iterator[Secret]:
    """Every secret of a table, however deep it stands."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, msgspec.Struct):
        yield from secrets_of(msgspec.structs.astuple(value))
    elif isinstance(value, Mapping):
        yield from secrets_of((*value.values(),))
    elif isinstance(value, tuple | list | set | frozenset):
        for part in value:
            yield from secrets_of(part)


def _credentials(secret: Secret) -> tuple[str, ...]:
    """A secret as it arrives in a header, and what follows a scheme such as `Bearer` (RFC 9110, 11.4)."""
    text = secret.reveal().strip()
    return text, text.rpartition(" ")[2]


def _addresses(root: str) -> Iterator[str]:
    """The scheme and the host; the host alone where it has a dot or a port, for otherwise it may be a word."""
    url = urlsplit(root)
    yield f"{url.scheme}://{url.netloc}"
    if {*".:"} & {*url.netloc}:
        yield url.netloc


def _begun(said: str, text: str) -> int:
    """How many characters of the beginning of `text` are the end of what was said."""
    sizes = range(min(len(said), len(text) - 1), 0, -1)
    return next((size for size in sizes if said.endswith(text[:size])), 0)
