"""server → core ← plugins, and the core stands on the standard library, pluggy and msgspec only."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.promises.tree import PACKAGES, ROOT, imports, top_levels

CORE_MAY_IMPORT = {"pluggy", "msgspec", "sentinel_core"}
TESTING_MAY_IMPORT = CORE_MAY_IMPORT | {"pytest"}
SERVER_MAY_NOT_IMPORT = {"sentinel_plugins", "aiohttp"}
# A plugin folder is the unit that may not know its siblings; these folders hold several.
GROUPS = ("providers", "state", "records")
SHARED = {"guarding", "recording", "redis"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def plugin_of(module: str) -> str | None:
    """`sentinel_plugins.providers.openai.stream` belongs to `providers.openai`."""
    parts = module.split(".")[1:]
    depth = 2 if parts[:1] and parts[0] in GROUPS else 1
    return ".".join(parts[:depth]) if len(parts) >= depth else None


@pytest.mark.parametrize("path", modules("sentinel_core"), ids=str)
def test_core_imports_only_the_standard_library_pluggy_and_msgspec(path: Path) -> None:
    allowed = TESTING_MAY_IMPORT if "testing" in path.parts else CORE_MAY_IMPORT
    assert top_levels(path) - sys.stdlib_module_names - allowed == set()


@pytest.mark.parametrize("path", modules("sentinel_server"), ids=str)
def test_server_imports_no_plugin_and_no_upstream_client(path: Path) -> None:
    assert top_levels(path) & SERVER_MAY_NOT_IMPORT == set()


@pytest.mark.parametrize("path", modules("sentinel_plugins"), ids=str)
def test_plugins_import_neither_the_server_nor_each_other(path: Path) -> None:
    own = plugin_of(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    names = set(imports(path))
    assert not {name for name in names if name.partition(".")[0] == "sentinel_server"}
    others = {plugin_of(name) for name in names if name.startswith("sentinel_plugins.")}
    assert others - {own, None} - SHARED == set()


def test_nothing_but_the_named_packages_and_folders_stands_at_the_top() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= {*PACKAGES, "benchmarks", "tests", "docs"}
