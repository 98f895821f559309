"""SENTINEL_FORBID_SKIPS=1 lets nothing be left out, except tests of the one mark that says so."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.promises.tree import ROOT, page

SKIPPED = '@pytest.mark.skipif(True, reason="not here")\ndef test_it(): ...'
MODULES = {
    "runs": ("def test_it(): ...", True),
    "skips": (SKIPPED, False),
    "skips_inside": ('def test_it(): pytest.skip("not here")', False),
    "skips_whole": ('pytest.skip("not here", allow_module_level=True)', False),
    "skips_whole_marked": (
        'pytestmark = pytest.mark.real_llm\npytest.skip("not here", allow_module_level=True)',
        False,
    ),
    "skips_marked": (f"@pytest.mark.real_llm\n{SKIPPED}", True),
    "skips_marked_otherwise": (f"@pytest.mark.slow\n{SKIPPED}", False),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that a run with no skips counts as failed."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  real_llm: real\n  slow: slow\n", "utf-8")
    for name, (text, _) in MODULES.items():
        (folder / f"test_{name}.py").write_text(f"import pytest\n{text}\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "tests.no_skips", "--continue-on-collection-errors"],
        cwd=folder,
        env={
            **os.environ,
            "SENTINEL_FORBID_SKIPS": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return set(re.findall(r"^(?:FAILED|ERROR) test_(\w+)\.py", done.stdout, re.MULTILINE))


@pytest.mark.parametrize("name", MODULES)
def test_what_may_be_left_out(refused: set[str], name: str) -> None:
    allowed = MODULES[name][1]
    assert (name not in refused) == allowed


def test_the_exemption_is_documented() -> None:
    assert "`real_llm`" in page("docs/how-to/local-model.md")
