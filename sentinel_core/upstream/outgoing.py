"""A client's request as the body that one upstream is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.translation import canonical_request, translated_request
from sentinel_core.errors import Refusal
from sentinel_core.messages import Request

if TYPE_CHECKING:
    from sentinel_core.upstream.native import NativeChat

OnUnsupported: TypeAlias = Literal["refuse", "drop"]
"""What becomes of a parameter that the target's API cannot express: refuse the request, or leave it out and say so."""

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_MAX_NAMES = 20
_encode = msgspec.json.Encoder().encode


class Outgoing(msgspec.Struct, frozen=True):
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
    return Outgoing(dialect.encode_request(request, model), _told(dropped, on_unsupported))


def outgoing_native(call: Call, native: NativeChat, on_unsupported: OnUnsupported = "drop") -> Outgoing:
    """What to send to an upstream whose API no client speaks. Raises as `outgoing`."""
    model = call.target.model
    canonical, lost = canonical_request(call.request, model)
    body, dropped = native.request_body(canonical, model)
    return Outgoing(_encode(body), _told(lost + dropped, on_unsupported))


def _told(dropped: tuple[str, ...], on_unsupported: OnUnsupported) -> tuple[str, ...]:
    """The names of what is left out, or the refusal that the policy asks for."""
    names = shown(dropped) if dropped else ()
    if names and on_unsupported == "refuse":
        raise Refusal("unsupported_parameter", f"The model's API cannot express: {', '.join(names)}.", param=names[0])
    return names


def shown(names: Iterable[str]) -> tuple[str, ...]:
    """The names as they may stand in a header and a log: some of them are a client's own words."""
    found = dict.fromkeys(name if _NAME.fullmatch(name) else "(unnamed)" for name in names)
    return (*tuple(found)[:_MAX_NAMES], *(("...",) if len(found) > _MAX_NAMES else ()))
