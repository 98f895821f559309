"""Check that a wheel holds the packages exactly as they stand in the tree: no file more, none less, none changed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("sentinel_core", "sentinel_plugins", "sentinel_server")


def tree() -> dict[str, bytes]:
    """Every file of the packages that git knows or would add, with its content."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return {name: (ROOT / name).read_bytes() for name in listing.split("\0") if name}


def wheel(path: Path) -> dict[str, bytes]:
    """Every file of the wheel but its metadata."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        return {name: archive.read(name) for name in names}


def main(path: Path) -> None:
    """Say what differs, and fail if anything does."""
    expected, found = tree(), wheel(path)
    problems = [f"missing: {name}" for name in sorted(expected.keys() - found.keys())]
    problems += [f"not in the tree: {name}" for name in sorted(found.keys() - expected.keys())]
    problems += [f"changed: {name}" for name in sorted(expected.keys() & found.keys()) if expected[name] != found[name]]
    if problems:
        raise SystemExit("\n".join(problems))
    print(f"{path.name}: {len(found)} files, as in the tree")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
