"""What a chat request says that asks for nothing but what happens anyway."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.json_types import JsonValue

_SILENT: Mapping[str, tuple[JsonValue, ...]] = {
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True,),
    "presence_penalty": (0,),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "top_logprobs": (0,),
}


def says_nothing(key: str, value: JsonValue) -> bool:
    """Whether an API that has no such field loses nothing where it is left out."""
    return value is None or value in _SILENT.get(key, ())
