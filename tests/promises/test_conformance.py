"""Every stage and every provider of ours is held to what the testing kit asks of those of others."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points

from sentinel_core.hookspecs import PHASES
from sentinel_core.provider import Provider
from sentinel_core.stage import Stage
from tests.long_form import long_form
from tests.plugins.providers.hosts.served import KINDS
from tests.promises.tree import modules, parsed


def contributed(hook: str) -> Iterator[type[Stage] | type[Provider]]:
    """What the plugins of this distribution hand over."""
    for point in entry_points(group="sentinel"):
        if point.module.startswith("sentinel_plugins."):
            found: Iterable[type[Stage] | type[Provider]] = getattr(point.load(), hook, tuple)()
            yield from found


def held(kit: str, attribute: str) -> set[str]:
    """The names of the classes that the heirs of one class of the kit name, below `tests/plugins`."""
    statements = [node for path in modules("tests/plugins") for node in parsed(path).body]
    classes = [node for node in statements if isinstance(node, ast.ClassDef)]
    heirs = [node for node in classes if kit in map(ast.unparse, node.bases)]
    said = [line for heir in heirs for line in heir.body if isinstance(line, ast.Assign)]
    return {ast.unparse(line.value) for line in said if ast.unparse(line.targets[0]) == attribute}


@long_form
def test_every_stage_with_a_phase_subclasses_the_kits_class() -> None:
    ours = {kind.__name__ for kind in contributed("sentinel_stages") if any(hasattr(kind, phase) for phase in PHASES)}
    assert ours
    assert ours - held("StageConformance", "stage") == set()


@long_form
def test_every_provider_subclasses_the_kits_class() -> None:
    hosts = {kind.__name__ for kind in KINDS.values()}  # `TestEveryHost` goes through all of these
    ours = {kind.__name__ for kind in contributed("sentinel_providers")}
    assert ours - hosts
    assert ours - hosts - held("ProviderConformance", "provider") == set()
