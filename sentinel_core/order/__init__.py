"""The order of the chain: checks a list against what stages declare, explains what is wrong, proposes an order."""

from sentinel_core.order.arrange import arrange, list_problems, suggest
from sentinel_core.order.rules import DEFAULT_ORDER

__all__ = ["DEFAULT_ORDER", "arrange", "list_problems", "suggest"]
