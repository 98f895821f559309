"""The messages of a request as one host takes them: without what the answers of another vendor left in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_plugins.providers.openai.hosts.host import MessageRules
from sentinel_plugins.providers.openai.hosts.plain_calls import with_plain_calls

Message = JsonMapping

HEARD: Message = {"role": "assistant", "content": "OK"}
"""What an assistant says where a host wants one to speak and nobody did."""


def adapted(rules: MessageRules, messages: Iterable[Message], left_out: list[str]) -> list[Message]:
    """The messages, noting the names of fields that the host refuses. One that needs nothing is the same object. Raises
    `Refusal` for a role that the host does not know."""
    found = [_adapted(rules, message, left_out, index) for index, message in enumerate(messages)]
    return list(_answered(found)) if rules.answer_to_results else found


def _adapted(rules: MessageRules, message: Message, left_out: list[str], index: int) -> Message:
    if message["role"] in rules.no_roles:
        raise invalid(f"messages[{index}].role", f"The model's API knows no role {message['role']!r}.")
    role = rules.roles.get(message["role"], message["role"])
    refused = [name for name, value in message.items() if _is_refused(rules, name, value)]
    left_out += [f"messages.{name}" for name in refused if _is_named(rules, name, message[name])]
    calls = message.get("tool_calls")
    if rules.known and isinstance(calls, list) and (plain := with_plain_calls(calls, left_out)) is not calls:
        message = {**message, "tool_calls": plain}
    if not refused and role == message["role"]:
        return message
    kept = {name: value for name, value in message.items() if name not in refused} | {"role": role}
    if "refusal" in refused and isinstance(message["refusal"], str) and not message.get("content"):
        kept["content"] = message["refusal"]
    return kept


def _is_refused(rules: MessageRules, name: str, value: JsonValue) -> bool:
    if name in rules.unsupported or name in rules.unneeded or (rules.known and name not in rules.known):
        return True
    return (value is None and name in rules.never_null) or (name == "refusal" and rules.refusal_as_text)


def _is_named(rules: MessageRules, name: str, value: JsonValue) -> bool:
    """Whether a field that is left out says something which nothing else does."""
    return value is not None and name not in rules.unneeded and not (name == "refusal" and rules.refusal_as_text)


def _answered(messages: Iterable[Message]) -> Iterator[Message]:
    before = None
    for message in messages:
        if before == "tool" and message["role"] == "user":
            yield HEARD
        yield message
        before = message["role"]
