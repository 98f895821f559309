"""Admissions and settlements as the scripts take them, and their answers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sentinel_core.state import Admission, Budget, Claim, ClaimState, Lease, Settlement, Window

MOST = 1 << 53
"""Scripts count in doubles, which hold every whole number up to this: 9,007,199 dollars."""

_NUMBERS = ("limit", "cost", "burst", "limit_nanousd", "reserve_nanousd", "spent_nanousd")
_encode = msgspec.msgpack.Encoder().encode


class Told(msgspec.Struct, array_like=True):
    """What `admit.lua` says of one claim, in its unit and in microseconds; a wait of -1 is none that helps."""

    remaining: float
    reset: float
    fits: bool
    wait: float
    unknown: bool


class Answer(msgspec.Struct, array_like=True):
    """What `admit.lua` says."""

    admitted: bool
    free: bool
    repaired: int
    claims: list[Told]


_decode = msgspec.msgpack.Decoder(Answer).decode


def packed_claims(claims: Sequence[Claim]) -> bytes:
    """The claims as they are: their fields are what the script reads."""
    return _encode([_within(claim) if _is_large(claim) else claim for claim in claims])


def packed_use(settlement: Settlement) -> bytes:
    """What was used; never less than nothing, so that a refund never exceeds what was reserved."""
    units = {key: min(MOST, max(0, used)) for key, used in settlement.units}
    return _encode({"units": units, "nanousd": min(MOST, max(0, settlement.nanousd))})


def unpacked(packed: bytes, claims: Sequence[Claim]) -> tuple[Admission, int]:
    """The admission, and how many damaged entries were repaired."""
    answer = _decode(packed)
    if answer.admitted:
        pairs = zip(claims, answer.claims, strict=True)
        taken = [ClaimState(claim.key, int(told.remaining), told.reset / 1e6, True) for claim, told in pairs]
        return Admission(True, tuple(taken)), answer.repaired
    free, states = answer.free, []
    for claim, told in zip(claims, answer.claims, strict=True):
        wait_s = told.wait / 1e6 if told.wait >= 0 and free else None
        states.append(
            ClaimState(claim.key, int(told.remaining), told.reset / 1e6, told.fits and free, wait_s, told.unknown)
        )
    return Admission(False, tuple(states)), answer.repaired


def _is_large(claim: Claim) -> bool:
    if claim.__class__ is Window:
        return claim.limit > MOST or claim.cost > MOST or (claim.burst is not None and claim.burst > MOST)
    if claim.__class__ is Lease:
        return claim.limit > MOST
    assert claim.__class__ is Budget
    return claim.limit_nanousd > MOST or claim.reserve_nanousd > MOST or (claim.spent_nanousd or 0) > MOST


def _within(claim: Claim) -> Claim:
    large = {name: MOST for name in _NUMBERS if (getattr(claim, name, None) or 0) > MOST}
    return msgspec.structs.replace(claim, **large)
