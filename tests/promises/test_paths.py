"""Where a page sends its reader, something is."""

from __future__ import annotations

import re

from tests.promises.test_layering import SHARED
from tests.promises.tree import PACKAGES, ROOT, page, pages

TOPS = (*PACKAGES, "tests", "docs", "examples", "benchmarks", ".ci")
PATH = re.compile(rf"`((?:{'|'.join(map(re.escape, TOPS))})/[^`\s*]*)")
ROW = re.compile(r"^\| `(.+?)` \| (.+) \|$", re.MULTILINE)


def test_every_path_of_the_tree_that_a_page_names_exists() -> None:
    named = {str(path.relative_to(ROOT)): PATH.findall(path.read_text("utf-8")) for path in pages()}
    lost = {name: [path for path in found if not (ROOT / path).exists()] for name, found in named.items()}
    assert {name: found for name, found in lost.items() if found} == {}
    assert named["docs/reference/layout.md"] != []
    assert named["docs/reference/modules-map.md"] != []


def test_the_layout_says_of_each_folder_only_what_is_in_it() -> None:
    lost = []
    for folder, holds in ROW.findall(page("docs/reference/layout.md")):
        inside = [name for name in re.findall(r"`([^`]+)`", holds) if name.endswith("/") or "." in name]
        lost += [name for name in inside if not any((at / name).exists() for at in (ROOT, ROOT / folder))]
    assert lost == []


def test_the_layout_names_the_folders_that_plugins_share() -> None:
    text = page("docs/reference/layout.md")
    shared = set(re.findall(r"^\| `sentinel_plugins/(\w+)/` \| .*; no plugin \|$", text, re.MULTILINE))
    assert shared == SHARED
