"""What is in segments of texts: known already, or asked of the processes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Final, Self

from sentinel_core.counts import Counts
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.extras import how_to_install
from sentinel_core.keyed_cache import KeyedCache
from sentinel_plugins.guarding.presidio.model import is_installed
from sentinel_plugins.guarding.presidio.pool import DeadlinePassed, Pool, PoolPlan
from sentinel_plugins.guarding.presidio.process import COMMAND, RecogniserFailed, WorkerLost
from sentinel_plugins.guarding.presidio.waiting import QueueFull
from sentinel_plugins.guarding.presidio.wire import Span, Start
from sentinel_plugins.pii.names.config import RecognisingConfig

NEEDED: Final = ("presidio_analyzer", "spacy")
_CAUSES: Final[Mapping[type[Exception], str]] = {
    QueueFull: "full",
    DeadlinePassed: "deadline",
    WorkerLost: "lost",
    RecogniserFailed: "failed",
}


_REPLACED = re.compile(r"\[[A-Z][A-Z0-9_]*(?::[a-p]+)?\]|\*{2,}|(?i:\b[a-z](?:[0-9][a-z]){8}\b)")
"""What stands for a value, redacted, hashed, masked or to be put back: no name, whatever the model thinks of it."""


class SegmentCounts:
    """How often a model was needed, and how often it was not there."""

    def __init__(self, counts: Counts) -> None:
        self.segments = counts.family("pii_segments", "Pieces of texts in which names were looked for", "how")
        self.faults = counts.family("pii_segment_faults", "Times that names could not be looked for", "cause")


class Recogniser:
    """Reads every segment once: a conversation that grows costs what is new in it."""

    def __init__(self, pool: Pool, allowed: Collection[str], cache_entries: int, counts: SegmentCounts) -> None:
        self._pool = pool
        self._allowed = allowed
        self._cache: KeyedCache[Sequence[Span]] = KeyedCache(cache_entries)
        self._known, self._read = counts.segments.of("known"), counts.segments.of("read")
        self._faults = counts.faults

    @classmethod
    @asynccontextmanager
    async def opened(cls, config: RecognisingConfig, counts: SegmentCounts) -> AsyncIterator[Self]:
        """The recogniser with its processes ready. Raises `ConfigError` where it cannot be had."""
        ner = config.ner
        start = Start(ner.model, ner.language, config.recognised, ner.min_score)
        plan = PoolPlan(start, ner.workers, ner.max_waiting_chars, ner.deadline_s, COMMAND)
        async with AsyncExitStack() as stack:
            try:
                pool = await stack.enter_async_context(Pool.opened(plan))
            except RecogniserFailed as error:
                raise ConfigError((_problem(str(error), error.key or _asked_by(config)),)) from error
            except (WorkerLost, TimeoutError) as error:
                problem = _problem("the process that recognises ended, or took too long to start", "ner")
                raise ConfigError((problem,)) from error
            yield cls(pool, frozenset(map(str.casefold, config.allow)), ner.cache_entries, counts)

    def digest(self, segment: str) -> bytes:
        """By this it is known whether a segment was read. On any thread."""
        return self._cache.digest(segment)

    async def read(self, segments: Mapping[bytes, str]) -> dict[str, Sequence[Span]]:
        """What is in each of these segments, which go by their digests. Raises what `Pool.ask` raises."""
        found: dict[str, Sequence[Span]] = {}
        new: dict[bytes, str] = {}
        for digest, segment in segments.items():
            spans = self._cache.get(digest)
            if spans is None:
                new[digest] = segment
            else:
                found[segment] = spans
        self._known.value += len(found)
        for (digest, segment), spans in zip(new.items(), await self._asked(list(new.values())), strict=True):
            found[segment] = self._kept(segment, spans)
            self._cache.put(digest, found[segment])
        return found

    def _kept(self, segment: str, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Without what is allowed, and without what stands for a value already."""
        taken = [match.span() for match in _REPLACED.finditer(segment)] if spans else ()
        return tuple(
            (start, end, entity)
            for start, end, entity in spans
            if segment[start:end].casefold() not in self._allowed
            and not any(start < stop and begin < end for begin, stop in taken)
        )

    async def _asked(self, segments: list[str]) -> list[list[Span]]:
        if not segments:
            return []
        self._read.value += len(segments)
        try:
            return await self._pool.ask(segments)
        except tuple(_CAUSES) as error:
            self._faults.of(_CAUSES[type(error)]).value += 1
            raise


def missing(config: RecognisingConfig) -> Iterator[ConfigProblem]:
    """What the configuration asks for and the environment lacks, without importing it."""
    packages = [name for name in NEEDED if find_spec(name) is None]
    if packages:
        message = f"needs the packages {' and '.join(packages)}"
        yield _problem(message, _asked_by(config), how_to_install("pii"))
    elif not is_installed(config.ner.model):
        message = f"no model {config.ner.model!r} is installed; pip install it, or name one that is"
        yield _problem(message, "ner.model")


def _asked_by(config: RecognisingConfig) -> str:
    return "names" if config.names else "places" if config.places else "recognisers"


def _problem(message: str, key: str, suggestion: str = "") -> ConfigProblem:
    return ConfigProblem(message, table="stages.pii", key=key, suggestion=suggestion)
