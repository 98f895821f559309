"""The commands that look at a configuration and serve nothing."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from sentinel_core.commands import OWN_COMMANDS
from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.registry import installed
from sentinel_server.cli import COMMANDS
from tests.long_form import long_form
from tests.server.cli.conftest import Sentinel

PLUGIN = """
from sentinel_core.commands import Command
from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider


class AcmeCli(Provider):
    name = "acme_cli"


@hookimpl
def sentinel_providers():
    return [AcmeCli]


@hookimpl
def sentinel_commands():
    def greet(name: str = "nobody") -> int:
        print(f"Hello, {name}")
        return 3

    return [Command("acme-greet", greet, "Greets.")]
"""
MODELS = '[[models]]\nname = "best"\ntargets = [{ provider = "a", model = "x" }, { provider = "b" }]\n'
PROVIDERS = '[providers.a]\nkind = "echo"\n[providers.b]\nkind = "echo"\n'
HEAVY = ("starlette", "aiohttp", "hypercorn", "uvicorn", "h2")


def test_check_says_that_a_configuration_is_usable(sentinel: Sentinel) -> None:
    result = sentinel("check", config=MODELS + PROVIDERS)
    assert (result.code, result.err) == (0, "")
    assert "usable" in result.out


def test_check_lists_every_problem_at_once_and_exits_2(sentinel: Sentinel) -> None:
    tables = (
        "[server]\nprot = 1\nworkers = 0",
        "[providers.a]\nkind = 'echoo'",
        "[providers.b]\nkind = 'openai'\nbase_ulr = 'http://x'",
        "[stages.nobodys]",
        "[chain]\nstages = ['nobodys', 'nobody']",
    )
    result = sentinel("check", config="\n".join(tables))
    assert result.code == 2
    heading, *problems = result.err.splitlines()
    assert heading == f"{len(problems)} problems in the configuration:"
    assert [problem.split(";")[0].strip() for problem in problems] == [
        "sentinel.toml: [server] prot: unknown key",
        "sentinel.toml: [server] workers: not a valid value",
        "sentinel.toml: [stages.nobodys]: no installed plugin brings the stage 'nobodys'",
        "sentinel.toml: [providers.a]: no installed plugin brings the provider 'echoo'",
        "sentinel.toml: [providers.b] base_ulr: unknown key",
        "sentinel.toml: [chain] stages: 'nobody' is listed but has no table [stages.nobody]",
    ]
    for hint in ("'nobodys'", "'port'", "'echo'", "'base_url'"):
        assert f"did you mean {hint}?" in result.err


def test_a_problem_of_a_table_that_a_variable_made_names_the_variable(
    sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "SENTINEL__STAGES__NOBODYS__ENABLED"
    monkeypatch.setenv(name, "true")
    result = sentinel("check", config="[stages.nothings]")
    _, written, set_ = result.err.splitlines()
    assert written.strip().startswith("sentinel.toml: [stages.nothings]: no installed plugin")
    assert set_.strip().startswith(f"{name}: [stages.nobodys]: no installed plugin")


@pytest.mark.parametrize("command", [("check", "--suggest"), ("explain", "--model", "m"), ("chain",), ("models",)])
def test_every_command_that_needs_all_of_a_configuration_tells_all_of_its_problems(
    sentinel: Sentinel, command: tuple[str, ...]
) -> None:
    result = sentinel(
        *command, config="[server]\nprot = 1\n[providers.a]\nkind = 'echoo'\n[stages.pii]\nactoin = 'hash'"
    )
    assert (result.code, result.out) == (2, "")
    for place in ("[server] prot", "[providers.a]", "[stages.pii] actoin"):
        assert place in result.err


def test_check_shows_every_value_and_who_said_so(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTINEL_PORT", "8123")
    lines = sentinel("check", "--show", config='[server]\nlog_level = "error"\n').out.splitlines()
    table = [line.split(maxsplit=3) for line in lines]
    assert ["server", "port", "8123", "SENTINEL_PORT"] in table
    assert any(line[:3] == ["server", "log_level", '"error"'] and "sentinel.toml" in line[3] for line in table)
    assert ["server", "workers", "1", "default"] in table


def test_check_suggests_an_order(sentinel: Sentinel) -> None:
    config = "[stages.breaker]\n[stages.retry]\n"
    assert sentinel("check", "--suggest", config=config).out == '[chain]\nstages = ["retry", "breaker"]\n'


def test_check_suggests_no_order_of_stages_that_nobody_brings(sentinel: Sentinel) -> None:
    said = sentinel("check", "--suggest", config="[stages.nosuch]\n[stages.pi]\n")
    assert (said.code, said.out) == (2, "")
    assert "'nosuch'" in said.err
    assert "did you mean 'pii'?" in said.err


def test_chain_says_that_there_are_no_stages(sentinel: Sentinel) -> None:
    assert "no stages" in sentinel("chain", config="").out
    assert json.loads(sentinel("chain", "--json").out) == []


def test_without_a_file_calls_are_counted_limited_and_survive_already(sentinel: Sentinel) -> None:
    rows = json.loads(sentinel("chain", "--json").out)
    expected = ["metrics", "audit", "usage", "auth", "rate_limit", "pii", "injection", "routing", "retry", "breaker"]
    assert [row["name"] for row in rows] == expected


def test_plugins_lists_what_is_installed_and_what_is_enabled(sentinel: Sentinel) -> None:
    rows = {row["name"]: row for row in json.loads(sentinel("plugins", "--json", config=PROVIDERS).out)}
    assert set(rows) == {info.name for info in installed()}
    assert rows["echo"]["enabled"] is True
    assert rows["openai"]["enabled"] is False
    assert rows["echo"]["distribution"] == "sentinel-gateway"
    assert "ENABLED" in sentinel("plugins").out


def test_plugins_calls_enabled_what_every_gateway_loads(sentinel: Sentinel) -> None:
    settings = settings_from({"providers": {"echo": {}}})
    loaded = Gateway(settings).blueprint.registry.services
    rows = {row["name"]: row["enabled"] for row in json.loads(sentinel("plugins", "--json", config="").out)}
    assert {name for name in loaded if name in rows and not rows[name]} == set()
    assert {"http", "tokens", "local_state", "catalogue"} <= set(loaded)


def test_plugins_imports_none_of_them() -> None:
    code = "import sys; from sentinel_server.cli import main\ntry: main(['plugins'])\nexcept SystemExit: pass\n"
    code += "print(any(name.startswith('sentinel_plugins.') for name in sys.modules), file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "False"


@long_form
@pytest.mark.parametrize("arguments", [["--version"], ["check", "--help"], ["serve", "--help"]])
def test_version_and_help_of_a_command_import_nothing_heavy(arguments: list[str]) -> None:
    code = f"import sys; from sentinel_server.cli import main\ntry: main({arguments})\nexcept SystemExit: pass\n"
    code += f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


def test_explain_names_the_targets_and_why(sentinel: Sentinel) -> None:
    result = sentinel("explain", "--model", "best", "--json", config=MODELS + PROVIDERS)
    explanation = json.loads(result.out)
    assert explanation["outcome"] == "would be sent to a/x"
    assert [(row["order"], row["provider"]) for row in explanation["targets"]] == [(1, "a"), (None, "b")]
    assert "Nothing was sent" in sentinel("explain", "--model", "best").out


def test_explain_reads_a_body_from_standard_input(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"model": "nobody", "messages": [{"role": "user", "content": "hi"}]}).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(body)))
    assert "model_not_found" in sentinel("explain").out


def test_explain_refuses_what_is_no_request(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"{")))
    result = sentinel("explain")
    assert result.code == 1
    assert "invalid_json" in result.err


def test_explain_asks_with_a_key_of_the_env_file(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SENTINEL_API_KEY=a-key-for-tests-0000001\nBILLING_KEY=a-key-for-tests-0000001\n")
    config = MODELS + PROVIDERS + "[stages.auth]\n"
    asked = ("explain", "--model", "best", "--env-file", ".env")
    assert "would be sent" in sentinel(*asked, "--key-env", "BILLING_KEY", config=config).out
    assert "would be sent" not in sentinel(*asked).out
    assert "OTHER_KEY is not set" in sentinel(*asked, "--key-env", "OTHER_KEY").told


@pytest.mark.parametrize(
    ("options", "told"), [(("--message", "hi"), "needs --model"), (("--model", "m", "--file", "x.json"), "not both")]
)
def test_explain_refuses_options_that_do_not_go_together(
    sentinel: Sentinel, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    (tmp_path / "x.json").write_text("{}")
    result = sentinel("explain", *options)
    assert result.code == 2
    assert told in result.told


@pytest.mark.parametrize("path", ["none.json", "."])
def test_explain_refuses_a_body_that_is_no_file(sentinel: Sentinel, path: str) -> None:
    result = sentinel("explain", "--file", path)
    assert result.code == 2
    assert "--file" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("line", "place"),
    [('host = "0.0.0.0"', "sentinel.toml: [server] host: "), ("workers = 2", "sentinel.toml: [state] kind: ")],
)
def test_what_must_not_be_served_by_accident_is_refused_with_its_place(
    sentinel: Sentinel, line: str, place: str
) -> None:
    result = sentinel("check", config=f"[server]\n{line}\n")
    assert result.code == 2
    assert place in result.err


@pytest.mark.parametrize("command", ["check", "serve"])
def test_it_is_refused_with_whatever_else_is_wrong(sentinel: Sentinel, command: str) -> None:
    result = sentinel(command, config='[server]\nhost = "0.0.0.0"\nprot = 1\n[providers.a]\nkind = "echoo"\n')
    assert result.code == 2
    assert [line.split(";")[0].strip() for line in result.err.splitlines()[1:]] == [
        "sentinel.toml: [server] prot: unknown key",
        "sentinel.toml: [providers.a]: no installed plugin brings the provider 'echoo'",
        "sentinel.toml: [server] host: this address can be reached from other machines, and no stage authenticates"
        " callers",
    ]


def test_check_names_the_stages_that_a_file_turns_off(sentinel: Sentinel) -> None:
    assert "note:" not in sentinel("check").out  # without a file they are on
    off = "metrics, audit, usage, auth, rate_limit, pii, injection, routing, retry, breaker"
    result = sentinel("check", config="[providers.echo]\n")
    assert f"note: on without a file, and off with this one, which does not name them: {off}\n" in result.out
    result = sentinel("check", config="[providers.echo]\n[stages.pii]\n[stages.auth]\nenabled = false\n")
    assert f"name them: {off.replace('auth, ', '').replace('pii, ', '')}\n" in result.out
    named = "".join(f"[stages.{name}]\n" for name in off.split(", "))
    assert "note:" not in sentinel("check", config=named).out


def test_a_runner_that_is_not_installed_is_refused_with_its_place(
    sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel_server.runners.find_spec", lambda name: None)
    result = sentinel("check", config='[server]\nrunner = "uvicorn"\n')
    assert result.code == 2
    assert "sentinel.toml: [server] runner: the runner needs uvicorn and httptools" in result.err
    assert "the extra 'fast' is missing: pip install '.[fast]' in the folder of Sentinel" in result.err
    assert sentinel("check", config="").code == 0


def test_no_colour_where_nobody_looks(sentinel: Sentinel) -> None:
    for arguments in (["--help"], ["check", "--nosuch"], ["check"]):
        result = sentinel(*arguments, config="[server]\nprot = 1\n")
        assert "\x1b" not in result.out + result.err


def test_a_command_that_nobody_brings_is_unknown(sentinel: Sentinel) -> None:
    result = sentinel("no-such-command")
    assert result.code == 2
    assert "no-such-command" in result.err
    assert "[stages.auth]" in sentinel("keys", "list").err


def test_plugins_know_every_command_of_sentinels_own() -> None:
    assert {module.NAME for module in COMMANDS} == set(OWN_COMMANDS)


def test_an_enabled_plugin_brings_its_command(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_cli.py").write_text(PLUGIN)
    metadata = tmp_path / "acme_cli-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-cli\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[sentinel]\nacme_cli = acme_cli\n")
    monkeypatch.syspath_prepend(tmp_path)
    result = sentinel("acme-greet", "--name", "you", config="[providers.acme_cli]\n")
    assert (result.code, result.out, result.err) == (3, "Hello, you\n", "")
    assert "acme-greet" in sentinel("--help", config="[providers.acme_cli]\n").out


@pytest.mark.parametrize("here", ["[chain]\nstages = []\n", "[server]\nprot = 1\n"])
@pytest.mark.parametrize("given", [("-c", "{}"), ("-c{}",), ("--config", "{}"), ("--config={}",)])
def test_the_configuration_that_is_named_decides_which_commands_there_are(
    sentinel: Sentinel, tmp_path: Path, here: str, given: tuple[str, ...]
) -> None:
    named = tmp_path / "prod.toml"
    named.write_text("[stages.usage]\n", "utf-8")
    result = sentinel("usage", *(text.format(named) for text in given), config=here)
    assert (result.code, "'memory' ends with its process" in result.err) == (2, True)


def test_the_variables_file_that_is_named_counts_as_well(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "prod.env").write_text("PEPPER=pepper-pepper-pepper-pepper-pepper\n", "utf-8")
    config = '[stages.auth]\npepper = { env = "PEPPER" }\n'
    result = sentinel("keys", "list", "--env-file", "prod.env", config=config)
    assert (result.code, "'memory' ends with its process" in result.err) == (2, True)


def test_an_option_without_its_value_is_complained_of(sentinel: Sentinel) -> None:
    result = sentinel("usage", "--config", config="[stages.usage]\n")
    assert (result.code, "--config" in result.err) == (2, True)


def test_the_version_is_an_option_as_well_wherever_the_configuration_stands(sentinel: Sentinel) -> None:
    result = sentinel("--version", config="[server]\nprot = 1\n")
    assert (result.code, result.err) == (0, "")
    assert result.out == sentinel("version").out != ""


def test_help_is_asked_for_in_short_as_well(sentinel: Sentinel) -> None:
    assert sentinel("-h", config="[stages.auth]\n").out == sentinel("--help").out
    assert sentinel("check", "-h").out == sentinel("check", "--help").out
    assert "--json" in sentinel("scan", "-h", config="[server]\nprot = 1\n").out


def test_help_lists_what_plugins_bring_and_their_groups(sentinel: Sentinel) -> None:
    result = sentinel("--help", config="[stages.auth]\n")
    assert "With create, list, rotate, revoke." in result.out
    assert "scan" in result.out


def test_help_is_there_where_the_configuration_is_broken(sentinel: Sentinel) -> None:
    result = sentinel("--help", config="[server]\nprot = 1\n")
    assert (result.code, result.err) == (0, "")
    assert "serve" in result.out
    assert "the configuration has errors" in result.out
    assert "--json" in sentinel("scan", "--help", config="[server]\nprot = 1\n").out
    assert "prot: unknown key" in sentinel("keys", "--help", config="[server]\nprot = 1\n").err
