"""Usage of a user of Zion as it is written down."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sentinel_core.records import Record

TABLE = "zion_usage"
State: TypeAlias = Literal["waiting", "sending", "told", "refused"]
OPEN = frozenset({"waiting", "sending"})
"""The states of what Zion may not have heard of."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One request's usage. `until` ends the lease of who is sending it."""

    external_id: str
    email: str
    input_tokens: int
    output_tokens: int
    requests: int
    state: State = "waiting"
    until: float = 0.0

    @classmethod
    def of(cls, record: Record) -> Row:
        """What a record says."""
        return msgspec.convert(record.fields, cls)


def marked(record: Record, row: Row, state: State, until: float = 0.0) -> Record:
    """The same row in another state."""
    fields = msgspec.to_builtins(msgspec.structs.replace(row, state=state, until=until))
    return msgspec.structs.replace(record, fields=fields)
