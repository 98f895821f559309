"""`python -m docs.generate` writes the generated pages; with `--check` it only says which of them are out of date."""

from __future__ import annotations

import sys

from docs.generate.pages import PAGES, ROOT, text_of


def main(check: bool) -> int:
    """0 if every page is (now) up to date."""
    stale = [name for name in PAGES if not (ROOT / name).is_file() or (ROOT / name).read_text("utf-8") != text_of(name)]
    for name in stale:
        if not check:
            (ROOT / name).write_text(text_of(name), "utf-8")
        print(f"{'out of date' if check else 'written'}: {name}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
