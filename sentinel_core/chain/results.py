"""What a phase returned, checked: awaited if need be, of the right kind, in the client's dialect."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from sentinel_core.chain.faults import WrongResult
from sentinel_core.context import Context, Owner
from sentinel_core.dialects.translation import translated_reply
from sentinel_core.messages import Answer, Request
from sentinel_core.reply import EventStream, Reply

if TYPE_CHECKING:
    from sentinel_core.chain.exchange import Exchange


def left_request(ctx: Context, before: Request) -> None:
    """The request that an `on_request` put in the place of that before. Raises `WrongResult` for what is none, and puts
    the former back: whoever tells of the fault, and finishes, reads it."""
    left: object = ctx.request
    if not isinstance(left, Request):
        ctx.request = before
        raise WrongResult(f"on_request must leave a Request in ctx.request, got {type(left).__name__}")


async def decided(exchange: Exchange, reply: Any, before: Request) -> Reply | None:  # Any: whatever a plugin gave
    """What an `on_request` returned: awaited if need be, and a reply or nothing. `before` is the request it was given,
    in whose place is still one."""
    if not isinstance(reply, Answer | EventStream) and isawaitable(reply):
        reply = await reply
    if exchange.ctx.request is not before:
        left_request(exchange.ctx, before)
    if reply is None:
        return None
    if isinstance(reply, EventStream):
        exchange.endings.adopt(reply)
    elif not isinstance(reply, Answer):
        raise WrongResult(f"on_request must return None, an Answer or an EventStream, got {type(reply).__name__}")
    request = exchange.ctx.request
    return reply if reply.dialect is request.dialect else translated(reply, request, exchange.endings)


def translated(reply: Answer | EventStream, request: Request, owner: Owner) -> Reply:
    """The reply of a plugin that does not answer in the client's dialect, in that one. Raises `TypeError` where no
    translation leads there: that is the plugin's fault."""
    if isinstance(reply, EventStream):
        owner.adopt(reply)
    own = translated_reply(reply, request)
    if isinstance(own, EventStream):
        owner.adopt(own)
    return own


async def answered(given: Any) -> Answer:  # Any: as above
    """What an `on_response` returned: awaited if need be, and an answer."""
    if isawaitable(given):
        given = await given
    if not isinstance(given, Answer):
        raise WrongResult(f"on_response must return an Answer, got {type(given).__name__}")
    return given
