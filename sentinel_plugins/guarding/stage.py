"""A stage that takes values out of requests and replies, whole and streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import ClassVar, Self, TypeAlias

import msgspec

from sentinel_core.context import Context
from sentinel_core.events import Event
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonMapping
from sentinel_core.keys import AS_IT_CAME, FINDINGS, PRINCIPAL, Changed, Key
from sentinel_core.messages import Answer, Path, Request, TextSlot
from sentinel_core.running import Running
from sentinel_core.services import Services
from sentinel_core.stage import Phase, Stage
from sentinel_plugins.guarding.cleaning import without_unseen
from sentinel_plugins.guarding.config import ReplacingConfig
from sentinel_plugins.guarding.entity import Entity, Family, Found
from sentinel_plugins.guarding.form import ARGUMENTS, json_kinds
from sentinel_plugins.guarding.handover import HANDOVER, Handover
from sentinel_plugins.guarding.known import Known
from sentinel_plugins.guarding.names import apart
from sentinel_plugins.guarding.policy import Board, Direction, Policy, posted
from sentinel_plugins.guarding.redaction import Merged, Note, Redaction
from sentinel_plugins.guarding.replacing import REPLACEMENTS, Action, Hashed, Replacement
from sentinel_plugins.guarding.streaming import Marked, Searched, redacted
from sentinel_plugins.guarding.telling import Listener, tell

Changes: TypeAlias = Mapping[Path, str]
Work: TypeAlias = Callable[[], Changes]
Made: TypeAlias = Callable[[Merged, Mapping[Action, Replacement], Note, Collection[str]], Redaction]

OFF_LOOP_CHARS = 8_192
"""Texts of requests that are longer together are searched on a thread: text that is made for it, such as beginnings of
telephone numbers, takes 10 µs a character."""


_DIRECTIONS: Mapping[Phase, Direction] = {"on_request": "request", "on_response": "response", "on_stream": "response"}


class Seen(msgspec.Struct, frozen=True):
    """What the first guard of those that look together leaves to the next: what it passed on, and the values that are
    the others' to replace. What is another by then has to be searched again."""

    what: Request | Answer
    values: Mapping[str, Found]
    is_clean: bool
    """Whether nothing was found: a text that was changed is another one."""
    merged: Merged
    """Whose values were looked for. For any other guard, nothing has been searched."""


SEEN: Key[Seen] = Key("seen")
"""Written by the first guard that a request meets of those that replace values together."""
ANSWERED: Key[Seen] = Key("answered")
"""Written by the first guard that an answer meets."""
JSON_KINDS: Key[Collection[str]] = Key("json_kinds")
"""The kinds of text that are JSON in a reply. Written by the first guard that the reply meets."""

PLACEHOLDERS: Key[frozenset[str]] = Key("placeholders")
"""What stands for values of the request, in lower case: no value itself. Written by guards that put the values back."""


class Replacing(Stage):
    """Replaces values, or refuses texts that hold them.

    Guards of several families look at the unmodified text together, the first one for all: where their values
    overlap, what blocks counts before secrets, and these before personal data. Each replaces what is its own.
    """

    guard = True
    writes = (AS_IT_CAME,)
    after = ("auth", "rate_limit")
    before = ("cache", "routing")
    family: ClassVar[Family]
    counted: ClassVar[str]
    """What `Counts` calls the values that were found."""

    def __init__(
        self,
        config: ReplacingConfig,
        policy: Policy,
        board: Board,
        services: Services,
    ) -> None:
        super().__init__(config)
        self._policy = policy
        self._board = board
        self._hash_key = config.key
        self._executor = services.executor
        help_ = "Values that a guard found, also those that it let pass"
        self._found = services.counts.family(self.counted, help_, "entity", "action", "direction")
        self._merged: dict[Direction, tuple[tuple[str, ...], Merged]] = {}

    @staticmethod
    def entities() -> Iterable[Entity]:
        """What the guard knows."""
        raise NotImplementedError

    @classmethod
    def unused(cls, config: ReplacingConfig) -> Collection[str]:
        """The phase of a direction that is not looked at."""
        return [phase for phase, direction in _DIRECTIONS.items() if direction not in config.directions]

    @classmethod
    @asynccontextmanager
    async def open(cls, config: ReplacingConfig, services: Services) -> AsyncIterator[Self]:
        """The stage, with its policy where the other guards of its generation find it."""
        policy = config.policy(cls.name, cls.family, cls.entities())
        yield cls(config, policy, posted(policy, services), services)

    @hookimpl
    def on_request(self, ctx: Context) -> Running[None] | None:
        """Replace what goes to the model. Raises `Refusal` for what blocks."""
        seen = self._seen(ctx, SEEN, ctx.request)
        if seen is not None and seen.is_clean:
            return None
        slots = self._asked(ctx).texts()
        if seen is None and self._is_clean(ctx, "request", slots):
            ctx[SEEN] = Seen(ctx.request, {}, True, self._together(ctx, "request"))
            return None
        return self._search(ctx, self._redaction(ctx, "request"), slots)

    def _search(self, ctx: Context, redaction: Redaction, slots: Sequence[TextSlot]) -> Running[None] | None:
        seen = self._seen(ctx, SEEN, ctx.request)
        body = self._asked(ctx).body
        changes = partial(self._changes, redaction, body, slots, seen.values if seen is not None else None)
        work = self._heard(ctx, redaction, slots, changes)
        if _length(slots) > OFF_LOOP_CHARS or FINDINGS in ctx:
            return self._on_thread(ctx, redaction, work)
        self._apply(ctx, redaction, work())
        return None

    @hookimpl
    def on_response(self, ctx: Context, answer: Answer) -> Answer | Awaitable[Answer]:
        """Replace what comes back whole, as `on_request` does what goes."""
        seen = self._seen(ctx, ANSWERED, answer)
        if seen is not None and seen.is_clean:
            return answer
        slots = answer.texts()
        if seen is None and self._is_clean(ctx, "response", slots):
            ctx[ANSWERED] = Seen(answer, {}, True, self._together(ctx, "response"))
            return answer
        return self._search_answer(ctx, self._redaction(ctx, "response"), answer, slots)

    def _search_answer(
        self, ctx: Context, redaction: Redaction, answer: Answer, slots: Sequence[TextSlot]
    ) -> Answer | Awaitable[Answer]:
        seen = self._seen(ctx, ANSWERED, answer)
        changes = partial(_answer_changes, redaction, answer.body, slots, seen.values if seen is not None else None)
        work = self._heard(ctx, redaction, slots, changes)
        if _length(slots) > OFF_LOOP_CHARS or FINDINGS in ctx:
            return self._answered_on_thread(ctx, redaction, answer, work)
        return self._answered(ctx, redaction, answer, work())

    @hookimpl
    def on_stream(self, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Replace what comes back. Raises `Refusal` for what blocks, before it or anything behind it leaves."""
        handed = ctx.get(HANDOVER)
        redaction = self._recalling(ctx)
        if handed is not None and handed.take(self._policy):
            return redacted(Marked(redaction, handed), events)
        return redacted(Searched(redaction, self._handing(ctx, redaction)), events)

    def _recalling(self, ctx: Context, made: Made = Redaction) -> Redaction:
        """For a stream: it goes on finding what it found, and what the guard before this one did."""
        redaction = self._redaction(ctx, "response", made)
        handed = ctx.get(HANDOVER)
        redaction.known = handed.known if handed is not None and handed.is_for(self._policy) else Known()
        return redaction

    def _handing(self, ctx: Context, redaction: Redaction) -> Handover | None:
        """What the next guard of a stream is told, if there is one that looks for the same values."""
        if redaction.known is None or not redaction.merged.ahead:
            return None
        handing = ctx[HANDOVER] = Handover(redaction.merged.ahead, redaction.known)
        return handing

    def _heard(self, ctx: Context, redaction: Redaction, slots: Sequence[TextSlot], work: Work) -> Work:
        """The work, which where somebody listens begins with telling what is there."""
        listener = ctx.get(FINDINGS)
        return partial(self._told, listener, redaction, slots, work) if listener is not None else work

    def _told(self, listener: Listener, redaction: Redaction, slots: Sequence[TextSlot], work: Work) -> Changes:
        tell(listener, self.name, redaction, slots)
        return work()

    def _changes(
        self, redaction: Redaction, body: JsonMapping, slots: Sequence[TextSlot], known: Mapping[str, Found] | None
    ) -> Changes:
        """The texts that change: without values, and where the guard enforces without what nobody sees."""
        changes = redaction.changes(slots, known)
        if self._policy.enforcing and (left := without_unseen(slots, changes)):
            redaction.removed_unseen = True
            changes |= left
        return apart(body, slots, changes, ARGUMENTS)

    async def _on_thread(self, ctx: Context, redaction: Redaction, work: Work) -> None:
        loop = asyncio.get_running_loop()
        self._apply(ctx, redaction, await loop.run_in_executor(self._executor, work))

    def _apply(self, ctx: Context, redaction: Redaction, changes: Changes) -> None:
        if changes:
            before, ctx.request = ctx.request, self._asked(ctx).with_texts(changes)
            changed = Changed(before, ctx.request, redaction.removed_unseen)
            ctx[AS_IT_CAME] = (*ctx.get(AS_IT_CAME, ()), changed)
        ctx[SEEN] = Seen(ctx.request, redaction.left, not (changes or redaction.left), redaction.merged)

    async def _answered_on_thread(self, ctx: Context, redaction: Redaction, answer: Answer, work: Work) -> Answer:
        loop = asyncio.get_running_loop()
        return self._answered(ctx, redaction, answer, await loop.run_in_executor(self._executor, work))

    def _answered(self, ctx: Context, redaction: Redaction, answer: Answer, changes: Changes) -> Answer:
        answer = answer.with_texts(changes)
        ctx[ANSWERED] = Seen(answer, redaction.left, not (changes or redaction.left), redaction.merged)
        return answer

    def _asked(self, ctx: Context) -> Request:
        """The request to look at. A guard that only watches is no part of what the others look for together: it reads
        what the first of them read."""
        request = ctx.request
        changes = ctx.get(AS_IT_CAME) if not self._policy.enforcing else None
        for changed in reversed(changes or ()):
            if changed.after is request:
                request = changed.before
        return request

    def _seen(self, ctx: Context, key: Key[Seen], what: Request | Answer) -> Seen | None:
        """What the guard before this one left, if it looked for this one's values and the same still comes."""
        seen = ctx.get(key)
        return seen if seen is not None and seen.what is what and seen.merged.looks_for(self._policy) else None

    def _is_clean(self, ctx: Context, direction: Direction, slots: Sequence[TextSlot]) -> bool:
        """Whether there is nothing in short texts, as in most: then nothing has to be made ready to replace it."""
        if FINDINGS in ctx or _length(slots) > OFF_LOOP_CHARS:
            return False
        merged = self._together(ctx, direction)
        if merged.may_be_in(slots, _json(ctx, direction)):
            return False
        if direction == "response":
            return True
        return not merged.parted(slots) and not (self._policy.enforcing and without_unseen(slots, {}))

    def _redaction(self, ctx: Context, direction: Direction, made: Made = Redaction) -> Redaction:
        merged = self._together(ctx, direction)
        placeholders = ctx.get(PLACEHOLDERS)
        if placeholders:
            merged = merged.without(placeholders)
        note = partial(self._note, ctx, direction)
        redaction = made(merged, self._replacements(ctx, direction), note, _json(ctx, direction))
        redaction.over_borders = direction == "request"
        return redaction

    def _together(self, ctx: Context, direction: Direction) -> Merged:
        """What is looked for. A generation has one chain, so this is decided once for each direction."""
        names = ctx.stage_names
        decided = self._merged.get(direction)
        if decided is None or decided[0] is not names:
            decided = self._merged[direction] = names, self._merge(direction, names)
        return decided[1]

    def _merge(self, direction: Direction, names: tuple[str, ...]) -> Merged:
        """With every guard that a text meets after this one: a reply meets them in the opposite order.

        A reply's text comes to this guard with the values that those before it left to it, and of a stream nobody says
        what they are: so it looks for theirs again.
        """
        if not self._policy.enforcing or self.name not in names:
            return Merged(self._policy, self._board.finder((self._policy,)))
        at = names.index(self.name)
        following = names[at + 1 :] if direction == "request" else names[:at]
        merged_with = [policy for policy in self._board.merged_with(self.name, direction) if policy.stage in names]
        ahead = tuple(policy for policy in merged_with if policy.stage in following)
        others = ahead if direction == "request" else tuple(merged_with)
        return Merged(self._policy, self._board.finder((self._policy, *others)), others, ahead)

    def _replacements(self, ctx: Context, direction: Direction) -> Mapping[Action, Replacement]:
        if self._hash_key is None:
            return REPLACEMENTS
        principal = ctx.get(PRINCIPAL)
        return {**REPLACEMENTS, "hash": Hashed(self._hash_key, principal.tenant if principal is not None else "")}

    def _note(self, ctx: Context, direction: Direction, entity: str, action: Action) -> None:
        self._found.of(entity, action, direction).value += 1
        if action == "warn":
            ctx.note_finding(self.name)


def _answer_changes(
    redaction: Redaction, body: JsonMapping, slots: Sequence[TextSlot], known: Mapping[str, Found] | None
) -> Changes:
    """The texts of an answer that change. Names in texts of JSON may be equal, as they may in a stream of them."""
    return apart(body, slots, redaction.changes(slots, known))


def _json(ctx: Context, direction: Direction) -> Collection[str]:
    """The kinds of text that are JSON: of a reply, what its request says."""
    if direction == "request":
        return ARGUMENTS
    kinds = ctx.get(JSON_KINDS)
    if kinds is None:
        kinds = ctx[JSON_KINDS] = json_kinds(ctx.request)
    return kinds


def _length(slots: Iterable[TextSlot]) -> int:
    return sum([len(slot.text) for slot in slots])
