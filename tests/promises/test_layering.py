"""server → core ← plugins, and the core stands on the standard library, pluggy and msgspec only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.long_form import long_form
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


def offenders(package: str, forbidden: Callable[[Path], set[str]]) -> dict[str, set[str]]:
    """The modules of a package that import what is forbidden to them, and what that is."""
    each = {str(path.relative_to(ROOT)): forbidden(path) for path in modules(package)}
    assert each
    return {name: found for name, found in each.items() if found}


def beyond_the_core(path: Path) -> set[str]:
    allowed = TESTING_MAY_IMPORT if "testing" in path.parts else CORE_MAY_IMPORT
    return top_levels(path) - sys.stdlib_module_names - allowed


def others_and_the_server(path: Path) -> set[str]:
    own = plugin_of(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    allowed = {own, None, *SHARED}
    return {
        name
        for name in imports(path)
        if name.partition(".")[0] == "sentinel_server"
        or (name.startswith("sentinel_plugins.") and plugin_of(name) not in allowed)
    }


def test_core_imports_only_the_standard_library_pluggy_and_msgspec() -> None:
    assert offenders("sentinel_core", beyond_the_core) == {}


def test_server_imports_no_plugin_and_no_upstream_client() -> None:
    assert offenders("sentinel_server", lambda path: top_levels(path) & SERVER_MAY_NOT_IMPORT) == {}


@long_form
def test_plugins_import_neither_the_server_nor_each_other() -> None:
    assert offenders("sentinel_plugins", others_and_the_server) == {}


def test_nothing_but_the_named_packages_and_folders_stands_at_the_top() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= {*PACKAGES, "benchmarks", "tests", "docs"}
