"""The requirements table names every row of this part, and only places and proofs that exist."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.promises.tree import ROOT, page

RANGES = (
    "C-01…C-12 C-17 C-20…C-27 C-31…C-34 C-36…C-37 C-41…C-44 C-46…C-48 S0-01…S0-26 S0-29…S0-34 S0-37…S0-44 S0-46…S0-51 "
    "S1-01…S1-32 S1-38…S1-40 S1-43…S1-44 S2-02…S2-05 S2-07…S2-24 S2-33…S2-44 S2-46 S2-67 S2-78 "
    "S3-01…S3-33 S4-01…S4-15 S4-17…S4-18 S4-21…S4-23 S4-31 S4-39…S4-49 S4-51 S4-53 S4-55 S4-60"
)
ROW = re.compile(r"^\| ((?:S\d|C)-\d\d) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
ROWS = {match[1]: match for match in ROW.finditer(page("docs/reference/requirements.md"))}


def wanted() -> set[str]:
    rows = set()
    for item in RANGES.split():
        first, _, last = item.partition("…")
        source, _, number = first.partition("-")
        until = int((last or first).rpartition("-")[2])
        rows |= {f"{source}-{row:02}" for row in range(int(number), until + 1)}
    return rows


def test_the_table_has_every_row_of_this_part() -> None:
    assert ROWS.keys() == wanted()


def test_no_row_stands_there_twice() -> None:
    names = [match[1] for match in ROW.finditer(page("docs/reference/requirements.md"))]
    assert sorted(names) == sorted(ROWS)


def test_every_row_names_places_and_proofs_that_exist() -> None:
    paths = {name: re.findall(r"`([^`]+)`", f"{row[3]} {row[4]}") for name, row in ROWS.items()}
    assert [name for name, found in paths.items() if not found] == []
    missing = {name: [path for path in found if not (ROOT / path).exists()] for name, found in paths.items()}
    assert {name: found for name, found in missing.items() if found} == {}


def test_every_proof_is_something_that_runs() -> None:
    proofs = {(name, path) for name, row in ROWS.items() for path in re.findall(r"`([^`]+)`", row[4])}
    assert [proof for proof in sorted(proofs) if not runs(proof[1])] == []


def runs(name: str) -> bool:
    path = ROOT / name
    modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    if not name.startswith("tests"):
        return name in (".ci/run", "benchmarks")
    return any("def test_" in module.read_text("utf-8") for module in modules)


def test_s0_04_the_readme_has_its_badges() -> None:
    text = page("README.md")
    assert all(word in text for word in ("ci.yml/badge.svg", "python-3.11", "licence-MIT", "ruff", "starlette"))


def test_s0_50_the_pipeline_is_drawn_with_a_legend() -> None:
    for name in ("README.md", "docs/explanation/chain.md"):
        text = page(name)
        assert all(f"classDef {group}" in text for group in ("observability", "security", "resilience", "performance"))


def test_s2_02_the_readme_acknowledges_those_it_learned_from() -> None:
    acknowledgements = page("README.md").partition("## Acknowledgements")[2]
    names = ("LiteLLM", "Langfuse", "FastAPI", "FAISS", "Sentence Transformers")
    assert all(name in acknowledgements for name in names)


OLD_COMMANDS = (
    "make up,make down,make build,make logs,make test,make lint,make dev,make redis-cli,make shell,make status,"
    "make clean,run_dev.sh,cargo test,RUST_LOG,requirements.txt,ruff.toml"
)
OLD_FOLDERS = "api/routes,middleware/,shield/,tenancy,zion/,websocket,evaluator"


@pytest.mark.parametrize("command", OLD_COMMANDS.split(","))
def test_s0_46_c_41_an_old_command_is_mapped(command: str) -> None:
    assert command in page("docs/reference/commands-map.md")


@pytest.mark.parametrize("folder", OLD_FOLDERS.split(","))
def test_s0_09_c_03_an_old_folder_is_mapped(folder: str) -> None:
    assert folder in page("docs/reference/modules-map.md")


def test_s0_44_redis_keeps_its_data() -> None:
    text = page("compose.yaml")
    assert '"--appendonly", "yes"' in text
    assert "redis-data:/data" in text


def test_s2_24_c_08_every_provider_of_the_ledger_has_an_adapter_of_its_own() -> None:
    project = tomllib.loads(page("pyproject.toml"))["project"]
    kinds = {
        "openai",
        "anthropic",
        "gemini",
        "xai",
        "deepseek",
        "cohere",
        "mistral",
        "llama",
        "groq",
        "ollama",
        "vercel",
    }
    assert kinds <= project["entry-points"]["sentinel"].keys()
    needed = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    assert [name for name in needed if re.match(r"litellm|slowapi", name, re.IGNORECASE)] == []
