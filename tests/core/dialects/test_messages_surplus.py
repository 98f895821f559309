"""What blocks and tools of Messages say beside what other vendors know: it is left out by name, and they stay."""

from __future__ import annotations

import pytest

from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import canonical_request
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.keys import Target
from sentinel_core.upstream.outgoing import outgoing
from tests.core.dialects.messages_client import asked, to_openai
from tests.plugins.providers.calls import Nobody

CITED = [{"type": "char_location", "cited_text": "42", "document_index": 0}]
SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}
FOUND = {"type": "search_result", "source": "https://host/a", "title": "t", "content": [{"type": "text", "text": "P"}]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
SERVER_TOOL = {"type": "web_search_20250305", "name": "web_search"}


def and_back(**fields: JsonValue) -> JsonObject:
    body = canonical_request(asked(**fields), "m").body
    return dict(ANTHROPIC_MESSAGES.from_canonical_request(body, "claude-opus-4-5").body)


def text(said: str, **surplus: JsonValue) -> JsonObject:
    return {"type": "text", "text": said, **surplus}


def conversation(**surplus: JsonValue) -> JsonObject:
    """A request with text that says more in every place that text may have."""
    return {
        "system": [text("rules", **surplus)],
        "messages": [
            {"role": "user", "content": [text("q?", **surplus)]},
            {"role": "assistant", "content": [text("42.", **surplus)]},
            {"role": "assistant", "content": [SEARCH, text("43.", **surplus)]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [text("r", **surplus)]}],
            },
        ],
    }


def said(body: JsonObject) -> list[str]:
    """The text of every message that has some."""
    contents = [message["content"] for message in body["messages"]]
    read = ["".join(part["text"] for part in one) if isinstance(one, list) else one or "" for one in contents]
    return [one for one in read if one]


@pytest.mark.parametrize("nothing", [None, []], ids=repr)
def test_text_with_citations_that_say_nothing_is_text(nothing: JsonValue) -> None:
    body, dropped = to_openai(**conversation(citations=nothing))
    assert said(body) == ["rules", "q?", "42.", "43.", "r"]
    assert dropped == ("messages.server_tool_use",)


def test_text_with_citations_stays_and_these_are_named() -> None:
    body, dropped = to_openai(**conversation(citations=CITED))
    assert said(body) == ["rules", "q?", "42.", "43.", "r"]
    assert "extra_content" not in str(body)
    assert dropped == ("messages.citations", "messages.server_tool_use")


@pytest.mark.parametrize(
    "fields",
    [
        {"system": [text("rules", citations=CITED)]},
        {"messages": [{"role": "user", "content": [text("q?", citations=CITED)]}]},
        {
            "messages": [
                {"role": "user", "content": "q?"},
                {"role": "assistant", "content": [text("a", citations=CITED)]},
            ]
        },
        {"tools": [{"name": "f", "input_schema": SCHEMA, "input_examples": [{"a": "b"}]}]},
        {"messages": [{"role": "user", "content": [SEARCH, text("q?")]}]},
    ],
)
def test_what_is_left_out_is_refused_where_the_table_says_so(fields: JsonObject) -> None:
    with pytest.raises(Refusal) as raised:
        outgoing(Call(asked(**fields), Target("up", "gpt"), Nobody()), OPENAI_CHAT, "refuse")
    assert raised.value.code == "unsupported_parameter"


def test_a_mark_for_the_cache_beside_citations_is_named_as_well() -> None:
    block = text("q?", citations=CITED, cache_control={"type": "ephemeral"})
    body, dropped = to_openai(messages=[{"role": "user", "content": [block]}])
    assert body["messages"] == [{"role": "user", "content": [text("q?")]}]
    assert dropped == ("messages.citations", "cache_control")


@pytest.mark.parametrize(
    "block", [text("a"), {"type": "tool_use", "id": "t1", "name": "f", "input": {}}], ids=["text", "call"]
)
@pytest.mark.parametrize(
    ("mark", "dropped"), [({"type": "ephemeral"}, ("cache_control",)), (None, ())], ids=["marked", "null"]
)
def test_a_mark_for_the_cache_in_an_assistants_turn_is_named(
    block: JsonObject, mark: JsonValue, dropped: tuple[str, ...]
) -> None:
    turns = [{"role": "user", "content": "q?"}, {"role": "assistant", "content": [{**block, "cache_control": mark}]}]
    body, left_out = to_openai(messages=turns)
    assert "cache_control" not in str(body)
    assert left_out == dropped


def test_a_mark_for_the_cache_that_is_null_is_none() -> None:
    assert to_openai(messages=[{"role": "user", "content": [text("q?", cache_control=None)]}]) == (
        {"model": "gpt", "messages": [{"role": "user", "content": "q?"}], "max_completion_tokens": 9},
        (),
    )


def test_an_image_with_a_title_that_is_null_is_an_image() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://host/x.png"}, "title": None}
    body, dropped = to_openai(messages=[{"role": "user", "content": [image]}])
    assert body["messages"][0]["content"] == [{"type": "image_url", "image_url": {"url": "https://host/x.png"}}]
    assert dropped == ()


PLAIN = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}}
PARTS = {"type": "document", "source": {"type": "content", "content": [text("one"), text("two", citations=None)]}}
SOURCES: list[tuple[JsonObject, str]] = [
    (FOUND, "t\nhttps://host/a\nP"),
    (PLAIN, "plain"),
    ({**PLAIN, "title": "Notes"}, "Notes\nplain"),
    ({**PARTS, "title": "T"}, "T\none\ntwo"),
    ({"type": "document", "source": {"type": "content", "content": "all"}}, "all"),
]


@pytest.mark.parametrize(("source", "words"), SOURCES)
def test_sources_of_text_are_text_behind_their_title(source: JsonObject, words: str) -> None:
    body, dropped = to_openai(messages=[{"role": "user", "content": [source, text("q?")]}])
    assert body["messages"] == [{"role": "user", "content": [text(words), text("q?")]}]
    assert dropped == ()


@pytest.mark.parametrize(("source", "words"), SOURCES)
def test_they_are_text_in_results_of_tools_too(source: JsonObject, words: str) -> None:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [source]}
    body, dropped = to_openai(messages=[{"role": "user", "content": [result]}])
    assert body["messages"] == [{"role": "tool", "tool_call_id": "t1", "content": words}]
    assert dropped == ()


def test_what_a_source_of_text_says_more_and_its_mark_for_the_cache_are_named() -> None:
    source = {**FOUND, "citations": {"enabled": True}, "cache_control": {"type": "ephemeral"}}
    body, dropped = to_openai(messages=[{"role": "user", "content": [source, text("q?")]}])
    assert body["messages"][0]["content"] == [text("t\nhttps://host/a\nP"), text("q?")]
    assert dropped == ("messages.citations", "cache_control")


@pytest.mark.parametrize(
    "source",
    [
        {"type": "document", "source": {"type": "url", "url": "https://host/a.pdf"}},
        {"type": "document", "source": {"type": "file", "file_id": "f"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "image", "source": {}}]}},
        {"type": "document", "source": {"type": "text", "data": 1}},
        {"type": "search_result", "source": "s", "title": "t", "content": [1]},
        {"type": "search_result", "source": "s", "title": "t"},
    ],
    ids=str,
)
def test_sources_that_are_no_text_are_named(source: JsonObject) -> None:
    body, dropped = to_openai(messages=[{"role": "user", "content": [source, text("q?")]}])
    assert body["messages"] == [{"role": "user", "content": [text("q?")]}]
    assert dropped == (f"messages.{source['type']}",)


@pytest.mark.parametrize("kind", ["image", "document"])
def test_the_source_of_another_block_is_no_text(kind: str) -> None:
    with pytest.raises(Refusal) as raised:
        to_openai(messages=[{"role": "user", "content": [{"type": kind, "source": "https://host/x.png"}]}])
    assert (raised.value.code, raised.value.param) == ("invalid_parameter", "messages[0].content[0]")
    assert "as its 'source'" in raised.value.message


def pdf(**surplus: JsonValue) -> JsonObject:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    return {"type": "document", "source": source, "title": "T", **surplus}


FILE = {"type": "file", "file": {"filename": "T", "file_data": "data:application/pdf;base64,JVBE"}}


@pytest.mark.parametrize(
    ("surplus", "dropped"),
    [
        ({"citations": {"enabled": True}}, ("messages.citations",)),
        ({"context": "our contract", "new": 1}, ("messages.context", "messages.new")),
        ({"citations": {"enabled": False}, "context": None}, ()),
    ],
    ids=repr,
)
def test_a_pdf_that_says_more_is_sent_without_it(surplus: JsonObject, dropped: tuple[str, ...]) -> None:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [pdf(**surplus)]}
    turns = [{"role": "user", "content": [pdf(**surplus), text("q?")]}, {"role": "user", "content": [result]}]
    body, left_out = to_openai(messages=turns)
    assert body["messages"][0]["content"] == [FILE, text("q?")]
    assert FILE in body["messages"][-1]["content"]
    assert "extra_content" not in str(body)
    assert left_out == dropped


def test_gemini_reads_a_pdf_with_citations_too() -> None:
    turns = [{"role": "user", "content": [pdf(citations={"enabled": True}), text("q?")]}]
    canonical, lost = canonical_request(asked(messages=turns), "m")
    body, dropped = GOOGLE_GEMINI.request_body(canonical, "gemini-2.5-pro")
    inline = {"mimeType": "application/pdf", "data": "JVBE"}
    assert body["contents"] == [{"role": "user", "parts": [{"inlineData": inline}, {"text": "q?"}]}]
    assert (lost, dropped) == (("messages.citations",), ())


def test_an_image_that_says_more_is_sent_without_it() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://host/x.png"}, "title": "t"}
    body, dropped = to_openai(messages=[{"role": "user", "content": [image]}])
    assert body["messages"][0]["content"] == [{"type": "image_url", "image_url": {"url": "https://host/x.png"}}]
    assert dropped == ("messages.title",)


def test_what_a_pdf_says_more_comes_back_where_the_target_is_anthropic() -> None:
    turns = [{"role": "user", "content": [pdf(citations={"enabled": True}, context="c"), text("q?")]}]
    assert and_back(messages=turns)["messages"] == turns


def test_gemini_reads_text_with_citations_too() -> None:
    canonical, lost = canonical_request(
        asked(messages=[{"role": "user", "content": [text("q?", citations=CITED)]}]), "m"
    )
    body, dropped = GOOGLE_GEMINI.request_body(canonical, "gemini-2.5-pro")
    assert body["contents"] == [{"role": "user", "parts": [{"text": "q?"}]}]
    assert (lost, dropped) == (("messages.citations",), ())


def test_citations_come_back_where_the_target_is_anthropic() -> None:
    turns = [
        {"role": "user", "content": "q?"},
        {"role": "assistant", "content": [SEARCH, text("42.", citations=CITED)]},
    ]
    assert and_back(messages=turns)["messages"] == turns


@pytest.mark.parametrize("kind", [{}, {"type": None}, {"type": "custom"}], ids=repr)
@pytest.mark.parametrize(
    ("surplus", "dropped"),
    [
        ({"eager_input_streaming": True}, ("tools.eager_input_streaming",)),
        ({"input_examples": [{"a": "b"}]}, ("tools.input_examples",)),
        ({"defer_loading": True, "new": 1}, ("tools.defer_loading", "tools.new")),
        ({"allowed_callers": ["code_execution_20250825"]}, ("tools.allowed_callers",)),
        ({"defer_loading": False, "eager_input_streaming": None, "input_examples": []}, ()),
        ({"description": None, "strict": None, "cache_control": None}, ()),
    ],
)
def test_a_function_that_says_more_is_sent_without_it(
    kind: JsonObject, surplus: JsonObject, dropped: tuple[str, ...]
) -> None:
    choice = {"type": "tool", "name": "f"}
    body, left_out = to_openai(tools=[{**kind, "name": "f", "input_schema": SCHEMA, **surplus}], tool_choice=choice)
    assert body["tools"] == [FUNCTION]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert left_out == dropped


def test_what_a_function_says_more_comes_back_where_the_target_is_anthropic() -> None:
    tool = {"name": "f", "input_schema": SCHEMA, "input_examples": [{"a": "b"}]}
    assert and_back(tools=[tool, SERVER_TOOL])["tools"] == [tool, SERVER_TOOL]


def test_what_a_client_of_another_format_adds_to_a_function_is_no_second_place_for_it() -> None:
    body = {"messages": [{"role": "user", "content": "x"}]}
    kept = {"extra_content": {"anthropic": {"name": "g", "input_examples": []}}}
    made = ANTHROPIC_MESSAGES.from_canonical_request({**body, "tools": [{**FUNCTION, **kept}]}, "claude-opus-4-5").body
    assert made["tools"] == [{"name": "f", "input_schema": SCHEMA, "input_examples": []}]


@pytest.mark.parametrize("tools", [[{"name": "f", "input_schema": SCHEMA}, SERVER_TOOL], [SERVER_TOOL], []])
def test_no_choice_names_a_tool_that_is_not_sent(tools: list[JsonObject]) -> None:
    choice = {"type": "tool", "name": "web_search"}
    body, dropped = to_openai(tools=tools, tool_choice=choice)
    assert "tool_choice" not in body
    assert "tool_choice" in dropped
    assert and_back(tools=tools, tool_choice=choice)["tool_choice"] == choice


def test_nobody_is_told_how_hard_to_think_where_nobody_is_to() -> None:
    fields = {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}
    body, dropped = to_openai(**fields)
    assert "reasoning_effort" not in body
    assert {*dropped} == {"thinking", "output_config"}
    back = and_back(**fields)
    assert {key: back[key] for key in fields} == fields
