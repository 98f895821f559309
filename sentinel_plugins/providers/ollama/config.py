"""`[providers.<name>]` with `kind = "ollama"`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from sentinel_core.config import Count, HttpUrl, Seconds
from sentinel_core.upstream import BaseUrlConfig

YEAR_S = 31_536_000
KeepAlive = Annotated[float, Meta(ge=-1, le=YEAR_S, description="a number from -1 to a year's seconds")]


class OllamaConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Where the server is, what it is told in every request, and how long and how large its answers may be.

    Ollama itself wants no `api_key`; a proxy in front of it may, and gets it as a bearer token.
    """

    base_url: HttpUrl = "http://localhost:11434"
    """The part of the URL before `/api/chat`. From a container, the host's server is at
    `http://host.docker.internal:11434`."""
    first_byte_timeout_s: Seconds = 300.0
    """From then to the first byte of the answer's body. It covers loading the model, for which Ollama takes up to five
    minutes, and without streaming the whole answer."""
    num_ctx: Count | None = None
    """The length of the context in tokens, prompt and answer together. Ollama's own default depends on its version and
    on your memory, and is often short: set it to what your conversations want. Another number loads the model anew."""
    keep_alive_s: KeepAlive | None = None
    """How long the model stays loaded after an answer: 0 unloads it at once, -1 keeps it for ever.
    Ollama's own default is five minutes; raise it where a cold start is too slow a fallback."""
    truncate: bool = False
    """Let Ollama cut what is longer than the context: the oldest turns of a prompt, and the prompt's beginning while an
    answer grows. Without it a prompt that is too long is answered 400 `context_length_exceeded`, and an answer that
    fills the context ends with `length`. Set it where an answer to half a question is better than none."""
    think: bool = True
    """Pass `reasoning_effort` on as `think`. Models that cannot think answer 400 to it: without this it is treated as
    `on_unsupported` says."""

    def problems(self) -> Iterator[str]:
        """That of a base URL which ends below the root as well."""
        yield from BaseUrlConfig.problems(self)
        if self.root().endswith(("/v1", "/api")):
            yield "base_url: Ollama's own API is below the server's root; leave out what follows the port"
