"""Where a configuration comes from: fixed once it was found, and told to others with what it said."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sentinel_core.errors import ConfigError
from sentinel_server.supervisor.launch import Launch

AUTHENTICATED = '[providers.echo]\n[stages.auth.keys.billing]\nsecret = { file = "key" }\n'
CANARY = "canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one that a gateway is started in, with a file that nobody named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sentinel.toml").write_text(AUTHENTICATED)
    (tmp_path / "key").write_text(CANARY)
    return tmp_path


def settled() -> Launch:
    """As a process that has started goes on with it."""
    launch = Launch()
    return launch.settled(launch.gateway().settings)


def test_s06_a_file_that_was_there_has_to_be_there_still(folder: Path) -> None:
    launch = settled()
    (folder / "sentinel.toml").unlink()
    with pytest.raises(ConfigError, match=r"sentinel\.toml: cannot be read: No such file"):
        launch.anew().gateway()


def test_s06_a_file_that_the_environment_named_stays_the_one(folder: Path) -> None:
    (folder / ".env").write_text("SENTINEL_CONFIG=named.toml")
    (folder / "named.toml").write_text("[server]\nport = 1")
    launch = Launch(env_file=".env")
    launch = launch.settled(launch.gateway().settings)
    (folder / ".env").write_text("")
    assert launch.anew().gateway().settings.server.port == 1


def test_s06_a_file_that_is_made_later_is_found_by_whoever_reads_anew(folder: Path) -> None:
    (folder / "sentinel.toml").rename(folder / "away")
    launch = settled()
    (folder / "away").rename(folder / "sentinel.toml")
    assert launch.gateway().settings.path is None
    found = launch.anew()
    found = found.settled(found.gateway().settings)
    (folder / "sentinel.toml").unlink()
    with pytest.raises(ConfigError, match=r"sentinel\.toml: cannot be read"):
        found.anew().gateway()


def test_s06_what_crosses_to_another_process_is_what_was_read(folder: Path) -> None:
    launch = settled()
    (folder / "sentinel.toml").write_text("[stages.no_such_stage]")
    (folder / "key").unlink()
    told = msgspec.json.decode(msgspec.json.encode(launch), type=Launch)
    assert [plan.name for plan in told.gateway().chain.stages] == ["auth"]
    with pytest.raises(ConfigError, match="no_such_stage"):
        told.anew().gateway()


def test_s06_the_catalogues_file_crosses_too(folder: Path) -> None:
    (folder / "sentinel.toml").write_text(AUTHENTICATED + '[catalogue]\nfile = "models.toml"\n')
    (folder / "models.toml").write_text('[[models]]\nid = "gpt-4o"\ninput_usd = 9.0\n')
    launch = settled()
    (folder / "models.toml").unlink()
    facts = launch.gateway().blueprint.catalogue.find("gpt-4o")
    assert facts is not None
    assert facts.input_usd == 9.0


def test_what_the_command_line_says_is_the_strongest_and_is_named_as_it_is_written_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sentinel.toml").write_text("[server]\nport = 1")
    monkeypatch.setenv("SENTINEL__SERVER__PORT", "2")
    given = Launch(server={"port": 3, "host": "::1"})
    told = msgspec.json.decode(msgspec.json.encode(given), type=Launch).settings()
    assert (told.server.port, told.server.host) == (3, "::1")
    assert {value.key: value.source for value in told.effective()}["port"] == "--port"


def test_s07_whatever_is_wrong_on_the_command_line_is_told_by_its_option(folder: Path) -> None:
    (folder / "sentinel.toml").write_text("[server]\nprot = 1")
    wrong = Launch(server={"host": "", "port": 99999, "workers": 0, "runner": "uvicorm"})
    with pytest.raises(ConfigError) as refused:
        wrong.settings()
    assert [str(problem).split(";")[0] for problem in refused.value.problems] == [
        "sentinel.toml: [server] prot: unknown key",
        "--host: [server] host: not a valid value",
        "--port: [server] port: not a valid value",
        "--workers: [server] workers: not a valid value",
        "--runner: [server] runner: not a valid value",
    ]


def test_s07_a_server_that_is_no_table_is_told_whatever_the_command_line_says(folder: Path) -> None:
    (folder / "sentinel.toml").write_text("server = 3")
    with pytest.raises(ConfigError, match=r"^sentinel\.toml: server: not a valid value; found 3; expected a table$"):
        Launch(server={"port": 1}).settings()


def test_no_secret_is_in_its_repr() -> None:
    assert CANARY not in repr(settled())
