"""A client's request as the body that one upstream is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, TypeAlias

from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.translation import translated_request
from sentinel_core.errors import Refusal
from sentinel_core.messages import Request

OnUnsupported: TypeAlias = Literal["refuse", "drop"]
"""What becomes of a parameter that the target's API cannot express: refuse the request, or leave it out and say so."""

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_MAX_NAMES = 20


class Outgoing(NamedTuple):
    """The body to send, and the names of what it had to leave out."""

    body: bytes
    dropped: tuple[str, ...] = ()


Adapt: TypeAlias = Callable[[Request], tuple[Request, tuple[str, ...]]]
"""Makes of a request in the upstream's dialect what one host takes of it, and names what that leaves out."""


def outgoing(
    call: Call, dialect: Dialect, on_unsupported: OnUnsupported = "drop", adapt: Adapt | None = None
) -> Outgoing:
    """What to send to an upstream of `dialect` for this call: the client's own body where the dialects are the same
    and nothing is to `adapt`.

    Raises `Refusal` (unsupported_parameter) under the policy `refuse`, and for a request that has no counterpart.
    """
    request, model = call.request, call.target.model
    dropped: tuple[str, ...] = ()
    if request.dialect is not dialect:
        request, dropped = translated_request(request, dialect, model)
    if adapt is not None:
        request, left_out = adapt(request)
        dropped += left_out
    dropped = shown(dropped) if dropped else ()
    if dropped and on_unsupported == "refuse":
        names = ", ".join(dropped)
        raise Refusal("unsupported_parameter", f"The model's API cannot express: {names}.", param=dropped[0])
    return Outgoing(dialect.encode_request(request, model), dropped)


def shown(names: Iterable[str]) -> tuple[str, ...]:
    """The names as they may stand in a header and a log: some of them are a client's own words."""
    found = dict.fromkeys(name if _NAME.fullmatch(name) else "(unnamed)" for name in names)
    return (*tuple(found)[:_MAX_NAMES], *(("...",) if len(found) > _MAX_NAMES else ()))
