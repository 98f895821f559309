"""`[providers.<name>]` with `kind = "openai"`."""

from __future__ import annotations

from collections.abc import Iterator

from sentinel_core.config import HttpUrl
from sentinel_core.upstream import BaseUrlConfig, header_problems


class OpenAIConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Where the upstream is, how to identify there, and how long and how large its answers may be."""

    base_url: HttpUrl = "https://api.openai.com/v1"
    """The part of the URL before `/chat/completions`. Set it for a compatible server."""
    organization: str | None = None
    """Sent as `OpenAI-Organization`, for keys that belong to several."""
    project: str | None = None
    """Sent as `OpenAI-Project`, for keys that belong to several."""
    responses: bool = True
    """Whether the server has `/responses`. Set false for a compatible server that has chats only: requests of
    `/v1/responses` are then translated for it."""

    def problems(self) -> Iterator[str]:
        """Those of what is sent in headers as well."""
        yield from BaseUrlConfig.problems(self)
        yield from header_problems("organization", self.organization or "")
        yield from header_problems("project", self.project or "")
