"""Who answers, in streams whose first chunk does not say it."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.json_types import JsonObject
from tests.core.dialects.chat_chunks import decode
from tests.core.dialects.messages_client import translated
from tests.core.dialects.responses_client import check, read, written
from tests.upstream import chunk, delta, sse
from tests.upstream.payloads import encoded

JUDGED: JsonObject = {
    **{"choices": [], "created": 0, "id": "", "model": "", "object": ""},
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"severity": "safe"}}}],
}
"""Azure's first chunk."""
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
CHUNKS = [JUDGED, delta("one"), delta(finish="stop"), chunk([], usage=USAGE)]
ID, CREATED, MODEL = (delta()[key] for key in ("id", "created", "model"))


def test_a_client_of_responses_reads_who_answers() -> None:
    frames = written(read(b"".join(map(sse, CHUNKS)), OPENAI_CHAT))
    response = check(frames)
    for body in (frames[0]["response"], response):
        assert (body["id"], body["created_at"], body["model"]) == (f"resp_{ID}", CREATED, MODEL)
    assert (response["output"][0]["content"][0]["text"], response["usage"]["total_tokens"]) == ("one", 5)


async def test_a_client_of_messages_reads_who_answers() -> None:
    opening = (await translated(*CHUNKS))[0]
    assert opening.frame is not None
    assert (opening.frame.body["message"]["id"], opening.frame.body["message"]["model"]) == (ID, MODEL)


def test_an_assembled_answer_says_who_answers_and_how_the_prompt_was_judged() -> None:
    body = OPENAI_CHAT.assemble(decode(*map(encoded, CHUNKS))).body
    assert (body["id"], body["created"], body["model"]) == (ID, CREATED, MODEL)
    assert body["prompt_filter_results"] == JUDGED["prompt_filter_results"]


@pytest.mark.parametrize("head", [{}, {"id": None, "model": ""}])
async def test_a_stream_that_never_says_it_opens_with_its_first_choice(head: JsonObject) -> None:
    events = await translated(*({**head, "choices": one["choices"]} for one in CHUNKS[1:3]))
    assert events[0].frame is not None
    assert events[0].frame.body["type"] == "message_start"
