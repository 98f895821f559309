"""The registry: entry points by name, nothing imported before it is named, clear words for what cannot be loaded."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.registry import Kind, PluginInfo, Registry, installed
from sentinel_core.registry.installed import entry_name
from tests.core.plugin_objects import Alpha, Beta, Up, refused, stage_plugin

Install = Callable[..., None]

WORDS = """
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage

class Words(Stage):
    name = "{name}"

@hookimpl
def sentinel_stages():
    return [Words]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a distribution on the path: what pip leaves behind, with one module for each entry point."""
    before = set(sys.modules)

    def distribution(dist: str, version: str = "1.0", /, **sources: str) -> None:
        folder = tmp_path / dist
        info = folder / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        modules = {name: f"{dist.replace('-', '_')}_{name}" for name in sources}
        (info / "entry_points.txt").write_text("[sentinel]\n" + "\n".join(f"{n} = {m}" for n, m in modules.items()))
        for name, source in sources.items():
            (folder / f"{modules[name]}.py").write_text(source)
        monkeypatch.syspath_prepend(folder)

    yield distribution
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_installed_lists_names_without_importing(install: Install) -> None:
    install("acme-guard", "1.2", acme_words="raise RuntimeError")
    assert PluginInfo("acme_words", "acme_guard_acme_words", "acme-guard", "1.2") in installed()
    assert "acme_guard_acme_words" not in sys.modules


def test_what_is_installed_or_removed_later_counts_as_well(install: Install, tmp_path: Path) -> None:
    """In the same folder, as pip does it: a reload finds it."""
    install("acme-guard", acme_words="")
    folder = tmp_path / "acme-guard"
    names = [{info.name for info in installed()}]
    info = folder / "late_guard-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late-guard\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sentinel]\nlate = late\n")
    later(folder)
    names.append({info.name for info in installed()})
    shutil.rmtree(info)
    later(folder)
    names.append({info.name for info in installed()})
    assert [("acme_words" in seen, "late" in seen) for seen in names] == [(True, False), (True, True), (True, False)]


def later(folder: Path) -> None:
    """What happened in the folder did so at another time than what happened before: clocks of files are coarse."""
    at = folder.stat().st_mtime_ns + 1_000_000_000
    os.utime(folder, ns=(at, at))


def test_a_name_of_the_configuration_is_loaded_and_no_other(install: Install) -> None:
    install("acme-guard", acme_words=WORDS.format(name="acme_words"), other="raise RuntimeError")
    registry = Registry()
    registry.load("acme_words", "stage")
    registry.load("acme_words", "stage")
    assert list(registry.stages) == ["acme_words"]
    assert "acme_guard_other" not in sys.modules


@pytest.mark.parametrize("hook", ["Hooks().stages", "Hooks.stages", "staticmethod(Hooks.alone)", "Hooks.alone"])
def test_a_hook_of_a_module_may_be_any_kind_of_function(install: Install, hook: str) -> None:
    source = """
class Hooks:
    @hookimpl
    def stages(self=None):
        return [Words]

    @staticmethod
    @hookimpl
    def alone():
        return [Words]

sentinel_stages = """
    install("acme-guard", acme_words=WORDS.format(name="acme_words").partition("@hookimpl")[0] + source + hook)
    registry = Registry()
    registry.load("acme_words", "stage")
    assert list(registry.stages) == ["acme_words"]


def test_our_own_plugins_are_installed_like_any_other() -> None:
    assert {"echo", "openai", "state_memory"} <= {
        info.name for info in installed() if info.module.startswith("sentinel")
    }


def test_a_store_is_loaded_by_its_kind(install: Install) -> None:
    registry = Registry()
    registry.load("memory", "state")
    assert list(registry.state_stores) == ["memory"]
    assert entry_name("memory", "records") == "records_memory"
    assert registry.record_stores == {}


@pytest.mark.parametrize(
    ("name", "kind", "hint"),
    [("acme_wrods", "stage", "acme_words"), ("memry", "state", "memory"), ("ehco", "provider", "echo")],
)
def test_s07_an_unknown_name_is_explained(install: Install, name: str, kind: Kind, hint: str) -> None:
    install("acme-guard", acme_words=WORDS)
    text = refused(lambda: Registry().load(name, kind))
    assert f"no installed plugin brings the {kind} {name!r}" in text
    assert "pip install" in text
    assert text.endswith(f"did you mean {hint!r}?")


@pytest.mark.parametrize(
    ("name", "kind"), [("ehco", "stage"), ("pi", "provider"), ("openaj", "stage"), ("redi", "provider")]
)
def test_no_name_of_another_kind_is_suggested(name: str, kind: Kind) -> None:
    assert "did you mean" not in refused(lambda: Registry().load(name, kind))


@pytest.mark.parametrize("kind", ["stage", "provider"])
def test_of_whom_nobody_knows_which_kind_they_bring_any_is_suggested_and_none_imported(
    install: Install, kind: Kind
) -> None:
    install("acme-guard", acme_words="raise RuntimeError")
    assert refused(lambda: Registry().load("acme_word", kind)).endswith("did you mean 'acme_words'?")


def test_a_store_whose_entry_point_lacks_its_kind_is_told_the_name(install: Install) -> None:
    install("acme-store", acme="")
    text = refused(lambda: Registry().load("acme", "state"))
    assert text.endswith("there is an entry point 'acme': one that brings such a store is called 'state_acme'")


def test_the_table_that_asks_is_named() -> None:
    assert refused(lambda: Registry().load("zzz", "stage")).startswith("[stages.zzz]: ")
    assert refused(lambda: Registry().load("zzz", "state")).startswith("[state]: ")
    assert refused(lambda: Registry().load("zzz", "provider", table="providers.mine")).startswith("[providers.mine]: ")


def test_two_distributions_with_one_name_are_both_named(install: Install) -> None:
    install("acme-guard", "1.0", words=WORDS.format(name="words"))
    install("other-guard", "2.0", words=WORDS.format(name="words"))
    text = refused(lambda: Registry().load("words", "stage"))
    assert "acme-guard 1.0" in text
    assert "other-guard 2.0" in text


def test_two_distributions_with_one_stage_are_both_named(install: Install) -> None:
    install("acme-guard", "1.0", first=WORDS.format(name="first"))
    install("other-guard", "2.0", second=WORDS.format(name="first"))
    registry = Registry()
    registry.load("first", "stage")
    text = refused(lambda: registry.load("second", "stage"))
    assert text == "two plugins bring the stage 'first': acme-guard 1.0 and other-guard 2.0; expected one of them"
    assert list(registry.stages) == ["first"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise RuntimeError('sk-canary')", "cannot be imported: RuntimeError"),
        ("import no_such_module", "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("def", "cannot be imported: SyntaxError"),
    ],
)
def test_s05_a_module_that_breaks_on_import_is_named_with_its_line(
    install: Install, tmp_path: Path, source: str, message: str
) -> None:
    install("acme-guard", "1.0", broken=f"# A comment.\n{source}")
    text = refused(lambda: Registry().load("broken", "stage"))
    where = tmp_path / "acme-guard" / "acme_guard_broken.py"
    assert text == f"[stages.broken]: acme_guard_broken (acme-guard 1.0) {message} ({where}:2)"


def test_a_module_that_is_not_there_has_no_place(install: Install, tmp_path: Path) -> None:
    install("acme-guard", "1.0", broken="")
    (tmp_path / "acme-guard" / "acme_guard_broken.py").unlink()
    text = refused(lambda: Registry().load("broken", "stage"))
    assert text.endswith("cannot be imported: ModuleNotFoundError: No module named 'acme_guard_broken'")


def test_a_module_that_brings_something_else_is_told_so(install: Install) -> None:
    install("acme-guard", "1.0", words=WORDS.format(name="wrods"))
    text = refused(lambda: Registry().load("words", "stage"))
    assert "acme_guard_words (acme-guard 1.0) brings no stage of the name 'words'" in text
    assert text.endswith("one of the stage plugins here: wrods")


def test_a_blocked_name_is_not_loaded(install: Install) -> None:
    install("acme-guard", words="raise RuntimeError")
    registry = Registry()
    registry.block("words")
    assert refused(lambda: registry.load("words", "stage")) == "[stages.words]: the stage 'words' is blocked"


def test_plugins_of_this_process_are_registered_as_they_are() -> None:
    module = ModuleType("in_process")
    module.__dict__.update(vars(stage_plugin(Alpha)))
    registry = Registry()
    registry.register(module)
    registry.register(module)
    registry.register(Beta)
    registry.register(Up)
    registry.load("alpha", "stage")
    assert registry.stages == {"alpha": Alpha, "beta": Beta}
    assert registry.providers == {"up": Up}


@pytest.mark.parametrize(
    "value", [5, "words", None, object(), ModuleType("empty"), [Beta]], ids=lambda value: type(value).__name__
)
def test_what_is_no_plugin_is_refused_and_leaves_nothing_behind(value: object) -> None:
    registry = Registry()
    for _ in range(2):
        text = refused(lambda: registry.register(value))
        assert "brings no hook" in text
        assert f"found {type(value).__name__}" in text
    registry.register(Beta)
    assert list(registry.stages) == ["beta"]


def test_a_duplicate_in_process_is_refused_and_leaves_nothing_behind() -> None:
    registry = Registry()
    registry.register(Alpha)
    text = refused(lambda: registry.register(stage_plugin(Beta, Alpha)))
    assert "two plugins bring the stage 'alpha'" in text
    assert f"{Alpha.__module__}.Alpha" in text
    assert list(registry.stages) == ["alpha"]
    registry.register(stage_plugin(Beta))


@pytest.mark.parametrize("name", ["auth", "rate_limit", "usage", "audit", "metrics", "health", "guard_api"])
def test_a_plugin_that_another_chain_loaded_brings_a_gateway_nothing_of_a_stage_that_it_lacks(name: str) -> None:
    """A registry may serve several gateways of one process."""
    registry = Registry()
    registry.load(name, "stage")
    gateway = Gateway(settings_from({"chain": {"stages": []}}), registry=registry)
    assert gateway.blueprint.chain.stages == ()
