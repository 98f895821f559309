"""Every TOML block of the documentation is a file that `sentinel check` takes, every Python block is proved."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sentinel_core.config import load_settings
from sentinel_core.gateway import Gateway
from sentinel_server.exposure import problems
from tests.examples.installed import EXAMPLES, install
from tests.promises.tree import ROOT, Sample, files, samples

GENERATED = {"docs/reference/hooks.md"}
OTHER_FILES = ("file: pyproject.toml", "file: models.toml")
SECRET = re.compile(r'\benv = "(\w+)"')
"""Variables that a block refers to."""


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file, where there is all that a page may name: the packages of the examples, extras, the `models.toml`."""
    for name in ("acme_guard", "acme_cloud"):
        (tmp_path / name).mkdir()
        monkeypatch.syspath_prepend(install(EXAMPLES / name, tmp_path / name))
    monkeypatch.setattr("sentinel_plugins.pii.names.stage.missing", lambda config: ())
    monkeypatch.setattr("sentinel_server.exposure.missing", lambda runner: None)
    (models,) = (one.text for one in samples("toml") if one.mark == "file: models.toml")
    (tmp_path / "models.toml").write_text(models, "utf-8")
    return tmp_path / "sentinel.toml"


@pytest.mark.parametrize(
    "sample", [one for one in samples("toml") if one.mark not in OTHER_FILES], ids=lambda sample: sample.id
)
def test_every_toml_block_is_a_configuration_that_can_be_used(sample: Sample, complete: Path) -> None:
    complete.write_text(sample.text, "utf-8")
    environ = {name: _value(name) for name in ("OPENAI_API_KEY", *SECRET.findall(sample.text))}
    gateway = Gateway(load_settings(complete, environ=environ), judge=problems)
    assert not any("limits" in warning for warning in gateway.warnings)


def _value(name: str) -> str:
    """An address, or something that is long enough for a key."""
    return "redis://localhost:6379/0" if name.endswith("_URL") else f"{name}-sixteen-characters"


@pytest.mark.parametrize(
    "sample", [one for one in samples("toml") if one.mark == "file: pyproject.toml"], ids=lambda sample: sample.id
)
def test_every_part_of_a_project_file_is_toml(sample: Sample) -> None:
    assert tomllib.loads(sample.text)


@pytest.mark.parametrize("sample", samples("python"), ids=lambda sample: sample.id)
def test_every_python_block_runs_or_is_part_of_a_file_that_is_tested(sample: Sample) -> None:
    kind, _, place = sample.mark.partition(": ")
    if sample.page in GENERATED or sample.runs:
        return
    assert kind == "excerpt", "mark the block with <!-- run -->, <!-- run if: PACKAGE --> or <!-- excerpt: FILE -->"
    assert sample.text.strip() in (ROOT / place).read_text("utf-8")


def test_every_link_to_a_file_leads_somewhere() -> None:
    broken = []
    for path in files():
        if path.suffix == ".md":
            for target in re.findall(r"\]\((?!https?:|#|\.\./\.\./actions)([^)#\s]+)", path.read_text("utf-8")):
                if not (path.parent / target).exists():
                    broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []
