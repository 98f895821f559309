"""Masks words in what users write and in what models answer. Enabled by `[stages.acme_words]`."""

from __future__ import annotations

from collections.abc import Iterable

from acme_guard.config import AcmeWordsConfig
from acme_guard.stage import AcmeWords
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage

__all__ = ["AcmeWords", "AcmeWordsConfig", "sentinel_stages"]


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The stage that this package brings."""
    return (AcmeWords,)
