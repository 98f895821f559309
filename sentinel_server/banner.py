"""What `sentinel serve` says when it serves: what is in the chain, who answers, and what to mind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sentinel_core.chain import StageRow
from sentinel_core.gateway import Gateway
from sentinel_core.printing import table
from sentinel_server.exposure import authenticates

BOLD, YELLOW, PLAIN = "\033[1m", "\033[33m", "\033[0m"


def render(gateway: Gateway, url: str, *, color: bool) -> str:
    """The banner as text, for standard error. Colours only where `color` says that a terminal reads it."""
    settings = gateway.settings
    server = settings.server
    workers = f"{server.workers} worker{'s' if server.workers > 1 else ''}"
    lines = [
        _paint(f"Sentinel serves on {url}", BOLD, color),
        f"  configuration  {settings.path or 'built from the environment: there is no sentinel.toml'}",
        f"  server         {server.runner}, {workers}, {server.environment}",
        f"  state          {settings.state.kind}, records {settings.records.kind}",
        f"  callers        {_callers(gateway)}",
        *_titled("providers", _providers(gateway)),
        *_titled("chain", chain_table(gateway.chain.rows()).splitlines()),
        *(_paint(f"  warning: {warning}", YELLOW, color) for warning in gateway.warnings),
        f"  try it         {_call(gateway, url)}",
    ]
    return "\n".join(lines)


def chain_table(rows: Sequence[StageRow]) -> str:
    """The stages in their order, one line each."""
    if not rows:
        return "no stages: requests go straight to the provider"
    head = ("", "STAGE", "PHASES", "ON FAULT", "TIMEOUT", "MODE", "")
    return table(head, (_line(place, row) for place, row in enumerate(rows, start=1)))


def _line(place: int, row: StageRow) -> tuple[str, ...]:
    timeout = "" if row.timeout_s is None else f"{row.timeout_s:g} s"
    notes = ["observer"] if row.observer else []
    notes += ["buffers streams"] if row.buffers else []
    return (str(place), row.name, " ".join(row.phases), row.on_fault, timeout, row.mode, ", ".join(notes))


def _providers(gateway: Gateway) -> list[str]:
    return [f"{plan.name} ({plan.kind.name})" for plan in gateway.blueprint.providers] or ["none"]


def _callers(gateway: Gateway) -> str:
    server = gateway.settings.server
    if any(map(authenticates, gateway.chain.stages)):
        return "authenticated by the chain"
    if server.loopback:
        return "anonymous, from this machine only"
    return "anonymous, from everywhere: [server] allow_anonymous says that something in front authenticates"


def _call(gateway: Gateway, url: str) -> str:
    key = """ -H "X-API-Key: $KEY\"""" if any(map(authenticates, gateway.chain.stages)) else ""
    return (
        f"curl {url}/v1/chat/completions{key} -H 'content-type: application/json' "
        f"""-d '{{{_model(gateway)}"messages": [{{"role": "user", "content": "Hello"}}]}}'"""
    )


def _model(gateway: Gateway) -> str:
    """Some model that is served; none where none is listed: there is one for requests that name none."""
    named = [model.name for model in gateway.settings.models]
    offered = [model for plan in gateway.blueprint.providers for model in plan.config.models]
    name = next(iter((*named, *offered)), None)
    return f'"model": "{name}", ' if name is not None else ""


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    first, *rest = lines
    return [f"  {title:<15}{first}", *(f"  {'':<15}{line}" for line in rest)]


def _paint(text: str, style: str, color: bool) -> str:
    return f"{style}{text}{PLAIN}" if color else text
