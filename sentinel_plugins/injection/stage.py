"""The stage: scores what a request carries, and flags or refuses it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import ClassVar, Final, NamedTuple, Self, TypeAlias

from sentinel_core.context import Context
from sentinel_core.counts import Counts
from sentinel_core.errors import Refusal
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keyed_cache import KeyedCache
from sentinel_core.keys import AS_IT_CAME, INJECTION_SCORE, PRINCIPAL, Changed
from sentinel_core.messages import Path, Request
from sentinel_core.services import Services
from sentinel_core.stage import Stage
from sentinel_plugins.injection.config import InjectionConfig
from sentinel_plugins.injection.passages import Passage, Place, passages_of
from sentinel_plugins.injection.scorer import NOTHING, Score, Scorer, shipped_scorer
from sentinel_plugins.injection.sent import as_sent

log = logging.getLogger("sentinel.injection")

ON_LOOP_CHARS: Final = 8_192
"""Characters that are scored on the event loop; more go to a thread."""
PREFERENCE: Final = "injection_threshold"
"""The name of a tenant's own threshold among its preferences."""
New: TypeAlias = Sequence[tuple[bytes, Passage]]
"""Passages whose scores are not known, each with what its score will be kept under."""
MESSAGE: Final = (
    "The request contains text that looks like an attempt to override the model's instructions. "
    "Rephrase it, or leave out quoted instructions that are not meant for the model."
)


class Scored(NamedTuple):
    """A passage, and how likely it is an attempt."""

    score: Score
    passage: Passage


class Injection(Stage):
    """Writes `INJECTION_SCORE`, the highest score of what is no system text, and acts where it reaches the threshold.

    A flagged request goes on and has the verdict `monitored`; a blocked one is refused. No score reaches the caller,
    and no text the log.
    """

    name = "injection"
    Config: ClassVar[type[InjectionConfig]] = InjectionConfig
    guard = True
    writes = {"on_request": (INJECTION_SCORE,), "on_finish": (INJECTION_SCORE,)}  # noqa: RUF012 - declared so by the base
    after = ("auth", "rate_limit")
    before = ("cache", "routing", "hedge", "retry", "breaker")

    def __init__(self, config: InjectionConfig, scorer: Scorer, executor: Executor, counts: Counts) -> None:
        super().__init__(config)
        self._settings = config
        self._scorer = scorer
        self._executor = executor
        self._cache: KeyedCache[Score] = KeyedCache(config.cache_entries)
        self._trusted = frozenset(config.trusted_system)
        self._found = counts.family("injections", "Requests that look like an attempt on the model", "action")
        self._watched: dict[int, float] = {}  # by open request: in monitor mode the chain takes facts back

    @classmethod
    @asynccontextmanager
    async def open(cls, config: InjectionConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on the weights of the package."""
        yield cls(config, shipped_scorer(), services.executor, services.counts)

    @classmethod
    def unused(cls, config: InjectionConfig) -> Collection[str]:
        """Where the chain keeps what it wrote, nothing is left to do at the end."""
        return () if config.mode == "monitor" else ("on_finish",)

    @hookimpl
    def on_request(self, ctx: Context) -> Awaitable[None] | None:
        """Score every text, decide, and change nothing."""
        known: list[Scored] = []
        new: list[tuple[bytes, Passage]] = []
        for passage in self._passages(ctx):
            digest = self._cache.digest(passage.text)
            score = self._cache.get(digest)
            if score is None:
                new.append((digest, passage))
            else:
                known.append(Scored(score, passage))
        if not new:
            self._decide(ctx, known)
        elif sum(len(passage.text) for _, passage in new) > ON_LOOP_CHARS:
            return self._elsewhere(ctx, known, new)
        else:
            self._decide(ctx, [*known, *self._kept(new, self._scores(new))])
        return None

    @hookimpl
    def on_finish(self, ctx: Context) -> None:
        """What monitoring measured is for the audit, though the chain took back what it wrote."""
        score = self._watched.pop(id(ctx), None)
        if score is not None:
            ctx[INJECTION_SCORE] = score

    def _passages(self, ctx: Context) -> list[Passage]:
        """What to score: of the request as it goes on and, where a guard took out what nobody sees, as it came. What is
        trusted as it goes on was trusted."""
        changes = ctx.get(AS_IT_CAME) or ()
        scored, trusted = self._sorted(ctx.request, changes)
        for at, changed in enumerate(changes):
            if changed.unseen:
                hidden, _ = self._sorted(changed.before, changes[:at])
                scored += [one for one in hidden if one.place not in trusted]
        return scored

    def _sorted(self, request: Request, changes: Sequence[Changed]) -> tuple[list[Passage], set[Place]]:
        """What to score of a request that is left of these changes, and the places of what is not scored."""
        sent = as_sent(request, changes) if self._trusted else {}
        scored: list[Passage] = []
        trusted: set[Place] = set()
        for passage in passages_of(request):
            if passage.system and self._is_trusted(passage, sent):
                trusted.add(passage.place)
            else:
                scored.append(passage)
        return scored, trusted

    def _is_trusted(self, passage: Passage, sent: Mapping[Path, str]) -> bool:
        """Whether a system text is left alone: all are, or the operator trusts it, as a whole or each of its parts."""
        if not self._trusted or self._settings.system_action == "ignore":
            return self._settings.system_action == "ignore"
        texts = [sent.get(slot.path, slot.text) for slot in passage.parts or (passage.slot,)]
        whole = "".join(texts)  # however its parts are joined
        return self._is_known(whole) or all(map(self._is_known, texts))

    def _is_known(self, text: str) -> bool:
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest() in self._trusted

    async def _elsewhere(self, ctx: Context, known: Sequence[Scored], new: New) -> None:
        loop = asyncio.get_running_loop()
        scores = await loop.run_in_executor(self._executor, self._scores, new)
        self._decide(ctx, [*known, *self._kept(new, scores)])

    def _scores(self, new: New) -> Mapping[bytes, Score]:
        texts = {digest: passage.text for digest, passage in new}
        return {digest: self._scorer.score(text) for digest, text in texts.items()}

    def _kept(self, new: New, scores: Mapping[bytes, Score]) -> Iterator[Scored]:
        for digest, passage in new:
            self._cache.put(digest, scores[digest])
            yield Scored(scores[digest], passage)

    def _decide(self, ctx: Context, scored: Sequence[Scored]) -> None:
        asked: Scored | None = None
        system: Scored | None = None
        for each in scored:
            if each.passage.system:
                system = each if system is None or each.score > system.score else system
            elif asked is None or each.score > asked.score:
                asked = each
        ctx[INJECTION_SCORE] = value = asked.score.value if asked is not None else NOTHING.value
        if self._settings.mode == "monitor":
            self._watched[id(ctx)] = value
        found: list[tuple[Scored, str]] = []
        if system is not None and system.score.value >= self._settings.system_threshold:
            found.append((system, self._settings.system_action))
        if asked is not None and value >= self._threshold(ctx):
            found.append((asked, self._settings.action))
        if found:
            self._act(ctx, found)

    def _act(self, ctx: Context, found: Sequence[tuple[Scored, str]]) -> None:
        for (score, passage), action in found:
            rule = f", {score.rule}" if score.rule else ""
            log.info("request %s: injection score %.2f (%s%s), %s", ctx.id, score.value, passage.kind, rule, action)
        blocks = "block" in [action for _, action in found]
        self._found.of("monitored" if self._settings.mode == "monitor" else "block" if blocks else "flag").value += 1
        if blocks:
            raise Refusal("content_policy_violation", MESSAGE)
        ctx.note_finding(self.name)

    def _threshold(self, ctx: Context) -> float:
        """The tenant's own, if it is one."""
        principal = ctx.get(PRINCIPAL)
        own = principal.preferences.get(PREFERENCE) if principal is not None else None
        if isinstance(own, int | float) and not isinstance(own, bool) and 0 < own <= 1:
            return own
        if own is not None:
            log.warning("request %s: the tenant's %s is no number above 0 and up to 1", ctx.id, PREFERENCE)
        return self._settings.threshold
