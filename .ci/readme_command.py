"""Print one of README's two commands, so that what CI runs and what a reader copies can never differ."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def command(name: str) -> str:
    """The text of the fenced block that follows `<!-- command: NAME -->`."""
    pattern = rf"<!-- command: {re.escape(name)} -->\n```\w*\n(.*?)\n```"
    match = re.search(pattern, README.read_text(encoding="utf-8"), re.DOTALL)
    if match is None:
        raise SystemExit(f"README.md marks no command {name!r}")
    return match.group(1)


if __name__ == "__main__":
    print(command(sys.argv[1]))
