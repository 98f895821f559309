"""What the project's own files promise: README's commands, pinned actions, a modest image, a port on loopback."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor

import pytest

from sentinel_plugins.records.redis.config import RedisRecordsConfig
from sentinel_plugins.records.sqlite.config import SqliteRecordsConfig
from tests.long_form import long_form
from tests.pace import PATIENCE_S
from tests.promises.tree import PACKAGES, ROOT, files, modules, page, top_levels

SESSIONS = ("tests", "lint", "types", "docs", "serve", "bench", "browser", "clients", "local_model", "soak")
PROJECT = tomllib.loads(page("pyproject.toml"))["project"]


def readme_command(name: str) -> str:
    done = subprocess.run(
        [sys.executable, ".ci/readme_command.py", name], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "last"), [("serve", ".venv/bin/sentinel serve"), ("test", ".venv/bin/pytest -q -n auto")]
)
def test_a_command_of_the_readme_sets_itself_up(name: str, last: str) -> None:
    steps = readme_command(name).split(" && ")
    assert steps[0] == "python3 -m venv .venv"
    assert steps[1].startswith(".venv/bin/pip install")
    assert steps[-1] == last


def test_the_readme_installs_only_extras_that_exist() -> None:
    extras = re.findall(r"\.\[(\w+)\]\"", page("README.md"))
    assert extras
    assert set(extras) <= PROJECT["optional-dependencies"].keys()


BY_ITS_NAME = re.compile(r"pip install [^\n`]*\bsentinel-gateway\b|[\"']sentinel-gateway *[\[<>=~@]")


def test_nobody_is_told_to_install_by_a_name_that_is_somebody_elses_on_the_index() -> None:
    own = {ROOT / "pyproject.toml", ROOT / "CHANGELOG.md"}
    told = [path for path in files() if path not in own and ROOT / "tests" not in path.parents]
    texts = {path: path.read_text("utf-8", errors="ignore") for path in told}
    assert [str(path) for path, text in texts.items() if BY_ITS_NAME.search(text)] == []


@pytest.mark.parametrize("example", ["acme_guard", "acme_cloud"])
def test_an_example_asks_for_nothing_that_it_would_get_from_an_index_by_that_name(example: str) -> None:
    project = tomllib.loads(page(f"examples/{example}/pyproject.toml"))["project"]
    template = page("sentinel_server/cli/templates/plugin/pyproject.toml.tmpl")
    assert project["dependencies"] == [] == tomllib.loads(template.replace("$name", "words"))["project"]["dependencies"]
    assert set(project["optional-dependencies"]["test"]) <= set(PROJECT["optional-dependencies"]["test"])


IMPORTED_AS = {"google_re2": "re2", "pyjwt": "jwt", "markdown_it_py": "markdown_it"}


@long_form
def test_the_tests_import_only_what_the_test_command_installs() -> None:
    extras = PROJECT["optional-dependencies"]
    named = [*PROJECT["dependencies"], *extras["test"], *extras["fast"]]
    names = {re.split(r"[^\w.-]", name)[0].lower().replace("-", "_") for name in named}
    installed = {IMPORTED_AS.get(name, name) for name in names}
    own = {*PACKAGES, "tests", "docs", "benchmarks", "examples", "acme_guard", "acme_cloud"}
    imported = {name for path in modules("tests") for name in top_levels(path)}
    assert imported - sys.stdlib_module_names - installed - own == set()


@pytest.mark.parametrize("session", SESSIONS)
def test_nox_has_every_chore(session: str) -> None:
    assert re.search(rf"^def {session}\(session: nox\.Session\) -> None:", page("noxfile.py"), re.MULTILINE)


def test_nox_measures_with_every_benchmark_but_the_peers() -> None:
    found = re.search(r"^BENCHMARKS = \((.*?)^\)", page("noxfile.py"), re.MULTILINE | re.DOTALL)
    assert found is not None
    modules = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {"__init__", "mock_upstream", "peers"}
    assert set(re.findall(r'"(\w+)"', found[1])) == modules


def test_what_a_gateway_keeps_where_it_is_started_is_not_committed() -> None:
    ignored = page(".gitignore").splitlines()
    assert f"/{SqliteRecordsConfig().path}*" in ignored
    assert f"/{RedisRecordsConfig().spool}/" in ignored


def test_actions_are_pinned_by_commit() -> None:
    uses = re.findall(r"uses: (\S+)", page(".github/workflows/ci.yml"))
    assert uses
    assert [name for name in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []


def test_c_02_ci_covers_every_python_that_the_metadata_names() -> None:
    named = [item.rpartition(" ")[2] for item in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", item)]
    assert PROJECT["requires-python"] == ">=3.11"
    assert ", ".join(f'"{version}"' for version in named) in page(".github/workflows/ci.yml")


def test_the_image_is_built_in_stages_and_runs_without_rights() -> None:
    text = page("Dockerfile")
    assert len(re.findall(r"^FROM ", text, re.MULTILINE)) == 2
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", text, re.MULTILINE)
    assert "ARG EXTRAS=fast,redis\n" in text, "the image carries both runners and both stores"
    assert '".[${EXTRAS}]"' in text


def test_what_the_image_sets_over_a_file_is_said_where_it_is_deployed() -> None:
    said = page("docs/how-to/deploy.md")
    names = re.findall(r"^(?:ENV)? +(SENTINEL_[A-Z]+)=", page("Dockerfile"), re.MULTILINE)
    assert names
    assert [name for name in names if f"`{name}`" not in said] == []


def test_the_image_asks_itself_for_its_health_past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r'^    CMD \["python", "-c", "(.+)"\]$', page("Dockerfile"), re.MULTILINE)
    assert found is not None
    with socket.create_server(("127.0.0.1", 0)) as gateway, ThreadPoolExecutor(1) as threads:
        monkeypatch.setenv("SENTINEL_PORT", str(gateway.getsockname()[1]))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        asked = threads.submit(_answer, gateway)
        exec(found[1], {})
    assert asked.result().startswith(b"GET /health/live ")


def _answer(listener: socket.socket) -> bytes:
    """Say 200 to whoever comes first; what was asked."""
    listener.settimeout(PATIENCE_S)
    connection, _ = listener.accept()
    with connection:
        asked = connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    return asked


def test_c_44_compose_publishes_on_loopback_only() -> None:
    ports = re.findall(r'^ +- "([\d.:]+:\d+:\d+|\d+:\d+)"$', page("compose.yaml"), re.MULTILINE)
    assert "127.0.0.1:8000:8000" in ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_c_48_a_container_reaches_a_model_server_on_its_host_by_name() -> None:
    assert '- "host.docker.internal:host-gateway"' in page("compose.yaml")


def test_s0_03_the_licence_is_mit() -> None:
    assert PROJECT["license"] == "MIT"
    assert page("LICENSE").startswith("MIT License")
