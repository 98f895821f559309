"""Rows that come later than their times say: out of a spool."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from sentinel_core.errors import Refusal
from sentinel_core.records import RecordStore


@runtime_checkable
class Late(Protocol):
    """A store to which rows may come late."""

    async def caught_up(self) -> bool:
        """Take in the rows that wait, as far as that can be done now; False where some wait on."""
        ...


async def take_in(records: RecordStore) -> None:
    """Take in what waits for a store: whoever judges by a row that is not there must not do so while it waits.

    Raises `Refusal` (ledger_unavailable) where rows wait on. Those that wait on other machines nobody knows of here.
    """
    if isinstance(records, Late) and not await records.caught_up():
        raise Refusal("ledger_unavailable", "Rows wait on disk for the record store.")
