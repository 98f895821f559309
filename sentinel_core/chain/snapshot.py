"""A request as it was before a stage, for one that fails open or only monitors."""

from __future__ import annotations

from sentinel_core.context import Context


class Snapshot:
    """What a stage that fails open, or only monitors, must leave as it found it."""

    __slots__ = ("facts", "headers", "request", "restorations")

    def __init__(self, ctx: Context) -> None:
        self.request = ctx.request
        self.facts = ctx.copy()
        self.headers = dict(ctx.headers)
        self.restorations = len(ctx.restorations)

    def restore(self, ctx: Context) -> None:
        """Put request, facts, restorations and, unless they have left, headers back."""
        ctx.request = self.request
        ctx.clear()
        ctx.update(self.facts)
        if not ctx.headers.committed:
            ctx.headers.clear()
            ctx.headers.put(self.headers)
        del ctx.restorations[self.restorations :]
