"""Which of Cohere's models think, told by the model's name.

Source: https://docs.cohere.com/docs/reasoning. Command A Reasoning was the first that does; a name that is newer than
this table is treated as the newest, and a name that is not Cohere's (a fine-tuned model's) is left alone.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(
    r"command(?:-light|-nightly|-r(?:7b.*|-.*)?|-a|-a-03-2025|-a-(?:vision|translate).*)?|(?:c4ai-|tiny-)?aya.*",
    re.IGNORECASE,
)


def thinks(model: str) -> bool:
    """Whether the model takes `thinking`, and thoughts of earlier turns."""
    return _PLAIN.fullmatch(model.rpartition("/")[2]) is None
