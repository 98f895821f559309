"""A package as pip leaves it behind: its sources, its name, its version, its entry points."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.promises.tree import ROOT

EXAMPLES = ROOT / "examples"


def install(package: Path, folder: Path) -> Path:
    """Install a package into an empty folder, for `PYTHONPATH`."""
    file = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))
    project = file["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = [f"{name} = {module}" for name, module in project["entry-points"]["sentinel"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[sentinel]", *points]))
    for module in file["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        (folder / module).symlink_to(package / module)
    return folder
