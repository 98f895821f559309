"""What OpenAI's own models refuse, of requests whose clients speak another format and cannot know it.

Source: https://platform.openai.com/docs/guides/reasoning#limitations, and "parameter compatibility" of GPT-5.1 to 5.4:
these do not think unless they are told to, and while they do not they take what other models do.
"""

from __future__ import annotations

import re
from typing import Final

from sentinel_core.json_types import JsonMapping

MAX_STOPS: Final = 4
_THINKS = re.compile(r"(?:ft:)?(?:o[1-9]|gpt-(?:[5-9]|\d\d))(?!.*chat)")
_RESTS = re.compile(r"(?:ft:)?gpt-5\.[1-4](?!.*(?:codex|pro))")
_SAMPLING = ("temperature", "top_p")


def within_model_rules(body: JsonMapping) -> tuple[JsonMapping, list[str]]:
    """The body of a chat without what its model refuses, and the names of that. A temperature and a `top_p` of 1 are
    what happens anyway; of more than `MAX_STOPS` stops the first are kept."""
    result, left_out = dict(body), []
    model, stops = str(body.get("model")), body.get("stop")
    thinks = _THINKS.match(model) is not None
    if thinks and stops:
        del result["stop"]
        left_out.append("stop")
    elif isinstance(stops, list) and len(stops) > MAX_STOPS:
        result["stop"] = stops[:MAX_STOPS]
        left_out.append("stop")
    rests = _RESTS.match(model) is not None and body.get("reasoning_effort") in (None, "none")
    for name in _SAMPLING if thinks and not rests else ():
        if result.pop(name, None) not in (None, 1):
            left_out.append(name)
    return result, left_out
