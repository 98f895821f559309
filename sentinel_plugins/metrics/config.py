"""The table `[stages.metrics]`."""

from __future__ import annotations

from sentinel_core.config import Secret
from sentinel_core.endpoints import Policy
from sentinel_core.stage import StageConfig

MIN_TOKEN_CHARS = 16


class MetricsConfig(StageConfig, frozen=True, kw_only=True):
    """`GET /metrics`: what this process has counted. No tenant, key, model or path is named there."""

    policy: Policy = "public"
    """Who may read it: `public`, as scrapers expect inside a cluster; `caller` and `admin` as for other routes."""
    token: Secret | None = None
    """What a scraper must send as `Authorization: Bearer …`, at least 16 characters. A key of this gateway does as
    well. Set it where strangers can reach the route."""

    def __post_init__(self) -> None:
        problems = []
        if self.token is not None and not _can_be_sent(self.token.reveal()):
            problems.append(f"token: must be at least {MIN_TOKEN_CHARS} printable ASCII characters")
        if self.token is not None and self.policy != "public":
            problems.append("token: takes the place of a key, so it goes with policy = 'public' only")
        if problems:
            raise ValueError(*problems)


def _can_be_sent(token: str) -> bool:
    """Whether it is long enough, and one thing in every client's header."""
    return len(token) >= MIN_TOKEN_CHARS and token.isascii() and token.isprintable() and token == token.strip()
