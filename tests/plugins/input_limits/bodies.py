"""Requests of every dialect that a client speaks."""

from __future__ import annotations

from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_COUNTING, ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from tests.json_values import json_values

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        OPENAI_CHAT,
        OPENAI_COMPLETIONS,
        OPENAI_EMBEDDINGS,
        OPENAI_RESPONSES,
        ANTHROPIC_MESSAGES,
        ANTHROPIC_COUNTING,
    )
}
DOCUMENTED = {
    "openai.chat": ("messages", "max_tokens", "max_completion_tokens", "n", "stop", "tools", "functions"),
    "openai.completions": ("prompt", "max_tokens", "n", "best_of", "stop"),
    "openai.embeddings": ("input",),
    "openai.responses": ("input", "instructions", "max_output_tokens", "tools"),
    "anthropic.messages": ("messages", "system", "max_tokens", "tools", "stop_sequences"),
    "anthropic.count_tokens": ("messages", "system", "max_tokens", "tools", "stop_sequences"),
}
"""What is limited in each format, by the names that its API documents: first where messages or texts are."""
LIMITS: TomlTable = {
    "max_messages": 3,
    "max_message_chars": 12,
    "max_total_chars": 30,
    "max_tools": 2,
    "max_stop_sequences": 2,
    "max_tokens": 100,
    "max_choices": 2,
}
"""So small that bodies of a few words are beyond them."""

TEXTS = st.sampled_from(["", " \n", "hello", "twelve chars", "thirteen char", "ж" * 13])
NAMES = st.sampled_from(["text", "content", "x"])
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text")}, optional={"text": TEXTS, "x": TEXTS}), max_size=3)
TURNS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "system", "assistant", "tool"]), "content": TEXTS | PARTS},
    optional={"name": TEXTS, "tool_calls": json_values(TEXTS, NAMES)},
)
NUMBERS = st.sampled_from([1, 2, 3, 100, 101, 10**8])
LISTS = st.lists(st.sampled_from(["a", "b"]) | json_values(TEXTS, NAMES, levels=1), max_size=4)
SAID = (
    st.lists(TURNS, min_size=1, max_size=5)
    | TEXTS
    | st.lists(TEXTS, min_size=1, max_size=5)
    | st.lists(st.integers(0, 9), min_size=1, max_size=6)
)
MEMBERS: dict[str, st.SearchStrategy[JsonValue]] = {
    **dict.fromkeys(("messages", "input", "prompt"), SAID),
    **dict.fromkeys(("system", "instructions"), TEXTS),
    **dict.fromkeys(("tools", "functions", "stop", "stop_sequences"), LISTS),
    **dict.fromkeys(("max_tokens", "max_completion_tokens", "max_output_tokens", "n", "best_of"), NUMBERS),
    "x": json_values(TEXTS, NAMES),
}


def body_of(dialect: Dialect, *texts: str, **fields: JsonValue) -> JsonObject:
    """A body of this dialect in which these texts are messages, prompts or inputs."""
    field = dialect.request_fields.messages
    spoken = dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, ANTHROPIC_COUNTING)
    said = [{"role": "user", "content": text} for text in texts] if spoken else list(texts)
    cap = {"max_tokens": 5} if dialect is ANTHROPIC_MESSAGES else {}
    return {"model": "m", field: said, **cap, **fields}


def bodies(dialect: Dialect) -> st.SearchStrategy[JsonObject]:
    """A good body with up to two other members, known or not."""
    names = st.sampled_from([*DOCUMENTED[dialect.name], "x"])
    members = names.flatmap(lambda name: st.tuples(st.just(name), MEMBERS[name]))
    said = st.lists(st.sampled_from(["hello", "a"]), min_size=1, max_size=4)
    return st.builds(
        lambda texts, changes: {**body_of(dialect, *texts), **dict(changes)}, said, st.lists(members, max_size=2)
    )
