"""How commands complain."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sentinel_core.errors import ConfigProblem


def complain(problems: Sequence[ConfigProblem]) -> None:
    """List every problem on standard error."""
    count = len(problems)
    print(f"{count} problem{'s' if count > 1 else ''} in the configuration:", file=sys.stderr)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
