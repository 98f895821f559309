"""A package of the examples as pip leaves it behind: its sources, its name, its version, its entry points."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.promises.tree import ROOT

EXAMPLES = ROOT / "examples"


def install(name: str, folder: Path) -> Path:
    """Install `examples/<name>` into an empty folder, for `PYTHONPATH`."""
    package = EXAMPLES / name
    project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    info = folder / f"{name}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = [f"{name} = {module}" for name, module in project["entry-points"]["sentinel"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[sentinel]", *points]))
    (folder / name).symlink_to(package / name)
    return folder
