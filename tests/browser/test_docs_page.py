"""`/docs` in a headless Chromium: it reads the OpenAPI document by itself, without anything from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.served import served

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
SWITCHES = (
    "--headless",
    "--no-sandbox",  # CI runs as root, where Chromium refuses its sandbox; the page is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--enable-logging=stderr",
    "--virtual-time-budget=5000",
    "--dump-dom",
)
DEADLINE_S = 60

pytestmark = [
    pytest.mark.skipif(os.environ.get("SENTINEL_TEST_BROWSER") != "1", reason="`nox -s browser` runs this"),
    pytest.mark.skipif(not BROWSER, reason="no Chromium here: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("empty")) as gateway:
        yield gateway.address


@pytest.fixture(scope="module")
def opened(gateway: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The page as the browser ended up with it, and what it wrote to its console."""
    profile: Path = tmp_path_factory.mktemp("profile")
    done = subprocess.run(
        [BROWSER, *SWITCHES, f"--user-data-dir={profile}", f"{gateway}/docs"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    return done.stdout, done.stderr


def test_s0_11_the_page_lists_the_routes_of_the_document(opened: tuple[str, str]) -> None:
    dom, _ = opened
    for path in ("/v1/chat/completions", "/v1/models", "/health/ready"):
        assert path in dom


def test_the_page_breaks_no_rule_of_its_own_content_policy(opened: tuple[str, str]) -> None:
    _, console = opened
    assert [line for line in console.splitlines() if "CONSOLE" in line and "Refused" in line] == []


def test_the_page_runs_without_an_error(opened: tuple[str, str]) -> None:
    _, console = opened
    assert [line for line in console.splitlines() if "CONSOLE" in line and "Uncaught" in line] == []
