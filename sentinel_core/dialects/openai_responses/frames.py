"""Single events of a response's stream as bodies, all but their sequence numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sentinel_core.dialects.openai_responses.fields import MEMBERS
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

FAMILIES: Mapping[str, str] = {
    "output_text": "response.output_text",
    "refusal": "response.refusal",
    "reasoning_text": "response.reasoning_text",
    "summary_text": "response.reasoning_summary_text",
    "arguments": "response.function_call_arguments",
    "input": "response.custom_tool_call_input",
    "code": "response.code_interpreter_call_code",
}
"""What the events of a text are called, by its kind."""


def opening(response: JsonMapping) -> list[JsonObject]:
    """What comes before the first item: the response as it begins."""
    begun = {**response, "status": "in_progress", "incomplete_details": None, "output": [], "usage": None}
    return [{"type": f"response.{step}", "response": begun} for step in ("created", "in_progress")]


def ending(response: JsonMapping) -> JsonObject:
    """The end of a stream, which says it all again."""
    kind = "incomplete" if response.get("status") == "incomplete" else "completed"
    return {"type": f"response.{kind}", "response": dict(response)}


def item_frame(step: str, index: int, item: JsonMapping) -> JsonObject:
    """An item is `added` or `done`."""
    return {"type": f"response.output_item.{step}", "output_index": index, "item": dict(item)}


class Spot(NamedTuple):
    """Where one text stands on the wire: in which item, of which kind, and in which of its parts."""

    item_id: str | None
    output_index: int | None
    kind: str
    part: int = 0

    def frame(self, name: str, **fields: JsonValue) -> JsonObject:
        """An event about this text."""
        at: JsonObject = {"type": name, "item_id": self.item_id, "output_index": self.output_index}
        if self.kind not in MEMBERS:
            at["summary_index" if self.kind == "summary_text" else "content_index"] = self.part
        at.update(fields)
        return at

    def part_frames(self, step: str, part: JsonMapping | None) -> list[JsonObject]:
        """The part is `added` or `done`; members of items are no parts."""
        if part is None:
            return []
        family = "reasoning_summary_part" if self.kind == "summary_text" else "content_part"
        return [self.frame(f"response.{family}.{step}", part=dict(part))]

    def delta(self, text: str) -> JsonObject:
        """A fragment of the text."""
        return self.frame(f"{FAMILIES[self.kind]}.delta", delta=text, **self._logprobs())

    def annotation(self, number: int, annotation: JsonMapping) -> JsonObject:
        """What the text refers to, its annotation of this number."""
        name = f"{FAMILIES[self.kind]}.annotation.added"
        return self.frame(name, annotation_index=number, annotation=dict(annotation))

    def done(self, text: str) -> JsonObject:
        """The whole text, again."""
        key = self.kind if self.kind in (*MEMBERS, "refusal") else "text"
        return self.frame(f"{FAMILIES[self.kind]}.done", **{key: text}, **self._logprobs())

    def _logprobs(self) -> JsonObject:
        return {"logprobs": []} if self.kind == "output_text" else {}
