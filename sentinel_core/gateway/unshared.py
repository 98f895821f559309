"""What several workers or replicas would each have for themselves: limits that each counts, rows that each keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sentinel_core.config import ServerSettings, Settings
from sentinel_core.config.document import problem_at
from sentinel_core.errors import ConfigProblem

if TYPE_CHECKING:
    from sentinel_core.gateway.blueprint import StorePlan
    from sentinel_core.records import RecordStore
    from sentinel_core.state import StateStore


def unshared(
    settings: Settings, state: StorePlan[StateStore] | None, records: StorePlan[RecordStore] | None
) -> Iterator[ConfigProblem]:
    """The stores that several processes would need to share and do not, unless `approximate` in their tables accepts
    it. One that could not be drawn has the benefit of the doubt."""
    server, document = settings.server, settings.document
    if server.workers * server.replicas == 1:
        return
    if state is not None and not state.kind.shared and not state.config.approximate:
        yield problem_at(
            document,
            ("state", "kind"),
            f"{_counted(server)} would each count limits on their own in {state.kind.kind!r} state",
            found=repr(state.kind.kind),
            expected="a store that they share, such as Redis (kind = 'redis'), or one worker in one replica",
            suggestion="to accept up to that many times every limit: [state] approximate = true",
        )
    if records is not None and not records.kind.durable and not records.config.approximate:
        yield problem_at(
            document,
            ("records", "kind"),
            f"{_counted(server)} would each keep their own rows in {records.kind.kind!r} records",
            found=repr(records.kind.kind),
            expected="a store that they share: kind = 'sqlite' on one machine, 'redis' for a fleet",
            suggestion="to accept that each answers from its own rows: [records] approximate = true",
        )


def _counted(server: ServerSettings) -> str:
    """Who counts, in words."""
    counts = ((server.workers, "workers"), (server.replicas, "replicas"))
    return " in each of ".join(f"{number} {word}" for number, word in counts if number > 1)
