"""`sentinel explain`: a dry run of one request."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sentinel_core.printing import as_json, table
from sentinel_server.cli.options import ConfigOption, EnvFileOption, JsonOption, text

if TYPE_CHECKING:
    from sentinel_core.context import Client
    from sentinel_core.explain import Explanation

NAME = "explain"


def command(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", "-f", exists=True, dir_okay=False, help="A request body as JSON. Default: standard input."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Ask for this model instead of giving a body.")] = None,
    message: Annotated[str | None, typer.Option(help="What the user says, with --model.", show_default="Hello")] = None,
    key_env: Annotated[
        str | None, typer.Option("--key-env", help="The variable that holds the caller's key, where callers need one.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what the gateway would do with a request: what each stage decides, which targets in which order, and why.

    Nothing is sent and nothing is charged; what only the request itself could show is not_evaluated.
    """
    from sentinel_core.errors import Refusal
    from sentinel_core.explain import explain
    from sentinel_server.supervisor.launch import Launch

    if file is not None and model is not None:
        raise typer.BadParameter("give a body or name a model, not both", param_hint="--file")
    if message is not None and model is None:
        raise typer.BadParameter("needs --model", param_hint="--message")
    settings = Launch(text(config), text(env_file)).settings()
    client = _client(key_env, env_file)
    try:
        explanation = asyncio.run(explain(settings, _body(file, model, message or "Hello"), client=client))
    except Refusal as error:
        print(f"refused before the chain: {error.status} {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    print(as_json(explanation) if json else render(explanation))


def render(explanation: Explanation) -> str:
    """An explanation as tables."""
    stages = [(row.stage, row.phase, row.decision, ", ".join(row.changed), row.detail) for row in explanation.stages]
    targets = [
        ("-" if row.order is None else str(row.order), f"{row.provider}/{row.model}", row.reason)
        for row in explanation.targets
    ]
    parts = [f"model {explanation.model!r}: {explanation.outcome}"]
    parts += [table(("STAGE", "PHASE", "DECISION", "CHANGED", "DETAIL"), stages)] if stages else []
    parts += [table(("ORDER", "TARGET", "WHY"), targets)] if targets else []
    return "\n\n".join([*parts, "Nothing was sent and nothing was charged."])


def _client(key_env: str | None, env_file: Path | None) -> Client | None:
    """Who asks. A key on the command line would be everybody's to read."""
    from sentinel_core.config.environment import Environment
    from sentinel_core.context import Client

    if key_env is None:
        return None
    key = Environment(os.environ, env_file).get(key_env)
    if not key:
        raise typer.BadParameter(f"the variable {key_env} is not set", param_hint="--key-env")
    return Client(headers={"x-api-key": key})


def _body(file: Path | None, model: str | None, message: str) -> bytes:
    if model is not None:
        return msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": message}]})
    return file.read_bytes() if file is not None else sys.stdin.buffer.read()
