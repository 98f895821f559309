"""`Sealer`: chains the records of one writer, so that none can be changed, moved or taken out unnoticed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import uuid4

from sentinel_core.counts import Count
from sentinel_core.records import Record

START = ""
"""What the first record of a writer follows."""
UNSEALED = ""
"""The seal of a record that was written without a key."""
WAIT_S = 1.0
"""How far the time of a record may be behind that of the one before it, in a chain whose times do not run backwards:
records are made before they are sealed."""


class Head(NamedTuple):
    """The last record of a chain: its number and its seal."""

    seq: int = 0
    mac: str = START


class Keys(NamedTuple):
    """What is signed with, and what was before: under `previous` keys signatures are believed, and none is made."""

    current: bytes
    previous: tuple[bytes, ...] = ()

    def sign(self, text: str) -> str:
        """HMAC-SHA256 in hexadecimal (RFC 2104)."""
        return _signature(text, self.current)

    def signed(self, text: str, found: str) -> bool:
        """Whether this is a signature of that text, compared in constant time; what was found may be any text."""
        return any(_equal(found, _signature(text, key)) for key in (self.current, *self.previous))


class Sealer:
    """Gives each record its number, the seal of the one before it, and its own: an HMAC-SHA256 over all of it.

    Without a key records are numbered and not sealed. Times of one writer never run backwards: where the clock was set
    back another writer begins, as in a new process. `sealed` counts.
    """

    def __init__(self, keys: Keys | None, writer: str, sealed: Count | None = None) -> None:
        self._keys = keys
        self._writer = writer
        self._head = Head()
        self._at = 0.0
        self._count = sealed or Count()

    def seal(self, records: Iterable[Record]) -> Sequence[Record]:
        """The records as they will stay."""
        return [self._sealed(record) for record in records]

    def _sealed(self, record: Record) -> Record:
        if record.at < self._at - WAIT_S:
            self._writer, self._head, self._at = new_writer(), Head(), record.at
        seq, self._at = self._head.seq + 1, max(self._at, record.at)
        fields = {**record.fields, "writer": self._writer, "seq": seq, "prev": self._head.mac}
        row = Record(row_id(self._writer, seq), record.tenant, self._at, fields)
        mac = UNSEALED
        if self._keys is not None:
            mac = self._keys.sign(line(row))
            self._count.value += 1
        self._head = Head(seq, mac)
        return Record(row.id, row.tenant, row.at, {**fields, "mac": mac})


def new_writer() -> str:
    """The name of a chain that begins."""
    return uuid4().hex


def row_id(writer: str, seq: int) -> str:
    """A record's id; ids of one writer sort as its records do."""
    return f"{writer}:{seq:012}"


def line(record: Record) -> str:
    """What is sealed: the record without its seal as one line of ASCII, whatever its texts are."""
    fields = {name: value for name, value in record.fields.items() if name != "mac"}
    return canonical([record.id, record.tenant, record.at, fields])


def intact(record: Record, keys: Keys) -> bool:
    """Whether all of the record, its id, tenant and time as well, is as a `Sealer` with one of these keys left it."""
    mac = record.fields.get("mac")
    try:
        return isinstance(mac, str) and keys.signed(line(record), mac)
    except RecursionError:  # nested more deeply than what can be sealed
        return False


def canonical(value: object) -> str:
    """A JSON value as one line of ASCII; equal values give equal lines."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _signature(text: str, key: bytes) -> str:
    return hmac.digest(key, text.encode("ascii"), "sha256").hex()


def _equal(found: str, expected: str) -> bool:
    return hmac.compare_digest(found.encode("utf-8", "surrogatepass"), expected.encode("ascii"))
