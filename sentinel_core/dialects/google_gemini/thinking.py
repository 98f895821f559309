"""How hard to think: `reasoning_effort` as `thinkingConfig`.

Source: https://ai.google.dev/gemini-api/docs/thinking; the budgets are those of Google's own translation of OpenAI's
format (https://ai.google.dev/gemini-api/docs/openai). A model takes a budget or a level, never both.
"""

from __future__ import annotations

from sentinel_core.dialects.google_gemini.models import Abilities
from sentinel_core.json_types import JsonObject

_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576, "xhigh": 32_768, "max": 32_768}
_LEVELS = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH", "max": "HIGH"}


def thinking_config(effort: str, can: Abilities) -> tuple[JsonObject, bool]:
    """The configuration, empty where there is nothing to say, and whether it is what was asked for.

    Who names an effort is shown the thoughts as well. Thinking that cannot be switched off is kept as low as it goes.
    """
    if effort == "none":
        return _off(can), can.thinking == "none" or (can.thinking == "budget" and can.least == 0)
    if can.thinking == "none" or effort not in _BUDGETS:
        return {}, False
    if can.thinking == "budget":
        return {"thinkingBudget": min(_BUDGETS[effort], can.most), "includeThoughts": True}, True
    return {"thinkingLevel": _LEVELS.get(effort, can.lowest), "includeThoughts": True}, True


def _off(can: Abilities) -> JsonObject:
    if can.thinking == "none":
        return {}
    return {"thinkingBudget": can.least} if can.thinking == "budget" else {"thinkingLevel": can.lowest}
