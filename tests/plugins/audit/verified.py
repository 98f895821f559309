"""What `sentinel audit verify` says of records that a test has at hand."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel_core.records import Record, Stored
from sentinel_plugins.audit.checkpoints import Noted
from sentinel_plugins.audit.seal import Keys
from sentinel_plugins.audit.verify import Verified, Verifier


def verify(records: Iterable[Record], keys: Keys, noted: Noted | None) -> Verified:
    """Of records that stand where they belong."""
    return verify_stored([Stored(record.id, record.tenant, record.at, record) for record in records], keys, noted)


def verify_stored(rows: Iterable[Stored], keys: Keys, noted: Noted | None) -> Verified:
    """Of rows as they lie in a store."""
    verifier = Verifier(keys, noted)
    for row in rows:
        verifier.look(row)
    return verifier.found(noted)
