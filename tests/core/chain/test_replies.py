"""The way out: restoration outside every guard, answers from inside the chain, and what the outcome says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sentinel_core.context import Context, Outcome
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import Event, TextEvent
from sentinel_core.messages import Answer
from sentinel_core.reply import EventStream
from sentinel_core.stage import Stage
from sentinel_core.testing import completion, content_chunk, events_of, finish_chunk
from tests.core.chain.stages import exchange, stage, verdicts

STREAM = pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])


class Names:
    """Puts a name back; holds every text until its choice ends."""

    def __init__(self) -> None:
        self.held = ""

    def answer(self, answer: Answer) -> Answer:
        return answer.with_texts({slot.path: slot.text.replace("<1>", "Ann") for slot in answer.texts()})

    def event(self, event: TextEvent) -> TextEvent | None:
        self.held += event.text
        self.first = event
        return None

    def rest(self, choice: int | None = None) -> tuple[TextEvent, ...]:
        held, self.held = self.held, ""
        return (self.first.with_text(held.replace("<1>", "Ann")),) if held else ()


@STREAM
async def test_restoration_is_outside_every_guard_and_the_outcome_holds_the_text_before_it(stream: bool) -> None:
    seen: list[str] = []
    outcomes: list[Outcome] = []

    def on_request(self: Stage, ctx: Context) -> None:
        ctx.restore_with(Names())

    def on_response(self: Stage, answer: Answer) -> Answer:
        seen.extend(slot.text for slot in answer.texts() if "Hello" in slot.text)
        return answer

    def on_finish(self: Stage, outcome: Outcome) -> None:
        outcomes.append(outcome)

    guard = stage("guard", on_response, on_finish)
    driven = await exchange(guard, stage("names", on_request), reply=("Hello ", "<1>"), stream=stream)
    assert (driven.text, seen) == ("Hello Ann", ["Hello <1>"])
    guarded = outcomes[0].guarded
    assert guarded is not None
    assert guarded.body["choices"][0]["message"]["content"] == "Hello <1>"
    if stream:
        texts = [index for index, event in enumerate(driven.events) if isinstance(event, TextEvent)]
        assert max(texts) < len(driven.events) - 1, "the held text goes ahead of the choice's end"


@STREAM
@pytest.mark.parametrize("kind", ["answer", "stream"])
async def test_a_stage_that_answers_is_finished_and_only_the_stages_before_it_see_the_reply(
    stream: bool, kind: str
) -> None:
    saw: list[str] = []
    finished: list[str] = []
    closed: list[str] = []

    async def close() -> None:
        closed.append("stream")

    async def cached() -> AsyncIterator[Event]:
        for payload in (content_chunk("cached"), finish_chunk()):
            for event in events_of(payload):
                yield event

    def on_request(self: Stage) -> Answer | EventStream | None:
        if self.name != "second":
            return None
        return completion("cached") if kind == "answer" else EventStream(cached(), close, dialect=OPENAI_CHAT)

    def on_response(self: Stage, answer: Answer) -> Answer:
        saw.append(self.name)
        return answer

    def on_finish(self: Stage) -> None:
        finished.append(self.name)

    stages = [stage(name, on_request, on_response, on_finish) for name in ("first", "second", "third")]
    driven = await exchange(*stages, stream=stream)
    assert (driven.text, driven.sent) == ("cached", [])
    assert (saw, finished) == (["first"], ["second", "first"])
    assert closed == ([] if kind == "answer" else ["stream"])
    assert verdicts(driven)["third", "request"] == "not_evaluated"
