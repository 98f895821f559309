"""`sentinel audit verify`: on the configured record store, without a gateway that runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import typer

from sentinel_core.commands import Command
from sentinel_core.errors import ConfigError, ConfigProblem, Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.printing import INCOMPLETE, as_json, complain, counted, printable, unprinted
from sentinel_core.records import RecordStore
from sentinel_plugins.audit.chain import Finding
from sentinel_plugins.audit.checkpoints import Noted, read
from sentinel_plugins.audit.config import AuditConfig
from sentinel_plugins.audit.entry import TABLE
from sentinel_plugins.audit.seal import Keys
from sentinel_plugins.audit.stage import Audit, keys_of
from sentinel_plugins.audit.verify import Verified, Verifier
from sentinel_plugins.recording.offline import answered
from sentinel_plugins.recording.options import AsJson, Config, EnvFile

FOUND = 1


def verify_audit(config: Config = None, env_file: EnvFile = None, json: AsJson = False) -> int:
    """Check that no audit record was edited, deleted or moved.

    Exit code: 0, 1 if one was, 2 wrong arguments or configuration, 3 not everything could be looked at, 4 the
    result could not be printed.
    """
    gateway = Gateway.load(config, env_file=env_file)
    table = table_of(gateway)
    keys = keys_of(table) if table is not None else None
    if table is None or keys is None:
        raise ConfigError((ConfigProblem("nothing is sealed", table="stages.audit", key="key", expected="a secret"),))
    try:
        verifier = Verifier(keys, _noted(table, keys))
        answered(gateway, partial(_look, verifier))
        found = verifier.found(_noted(table, keys))
    except (OSError, Refusal) as error:
        complain(error.message if isinstance(error, Refusal) else str(error))
        return INCOMPLETE  # nothing is known of the records
    try:
        typer.echo(as_json(found) if json else _text(found))
    except OSError as error:
        return unprinted(error)
    return FOUND if found.findings else 0


COMMANDS = (Command("audit verify", verify_audit),)


def table_of(gateway: Gateway) -> AuditConfig | None:
    """The table `[stages.audit]`, where it is this module's."""
    return gateway.blueprint.chain.table(Audit.name, AuditConfig)


def _noted(table: AuditConfig, keys: Keys) -> Noted | None:
    return read(Path(table.checkpoints), keys) if table.checkpoints else None


async def _look(verifier: Verifier, records: RecordStore) -> None:
    async for row in records.scan(TABLE):
        verifier.look(row)


def _text(found: Verified) -> str:
    of = f"{counted(found.records, 'record')} of {counted(found.writers, 'writer')}"
    lines = [f"{of}, {counted(found.unfinished, 'intent')} without an end"]
    if not found.checkpoints:
        lines.append("no checkpoints are kept: a missing beginning or end cannot be seen")
    lines += [f"{_place(finding)}{finding.message}" for finding in found.findings]
    return "\n".join([*map(printable, lines), "NOT as they were written" if found.findings else "as they were written"])


def _place(finding: Finding) -> str:
    return f"{finding.writer or 'checkpoints'} {finding.seq}: " if finding.seq else ""
