"""Every TOML block of the documentation is a configuration that loads, every Python block is proved somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sentinel_core.config.load import load_settings
from tests.promises.tree import ROOT, Sample, files, samples

ENVIRONMENT = {"OPENAI_API_KEY": "sk-sample"}
GENERATED = {"docs/reference/hooks.md"}


@pytest.mark.parametrize("sample", samples("toml"), ids=lambda sample: sample.id)
def test_every_toml_block_loads(sample: Sample, tmp_path: Path) -> None:
    if sample.mark in ("file: pyproject.toml", "file: models.toml"):
        assert tomllib.loads(sample.text)
        return
    path = tmp_path / "sentinel.toml"
    path.write_text(sample.text, "utf-8")
    load_settings(path, environ=ENVIRONMENT)


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
