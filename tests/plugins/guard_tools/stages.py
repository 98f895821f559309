"""Guards of known habits, and a gateway that has them."""

from __future__ import annotations

from sentinel_core.config import settings_from
from sentinel_core.context import Context
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import TomlValue
from sentinel_core.messages import Answer
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage
from sentinel_core.testing.replies import completion


class Masks(Stage):
    """Replaces `secret` in both directions."""

    name = "masks"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        changed = {slot.path: slot.text.replace("secret", "***") for slot in ctx.request.texts()}
        if any("***" in text for text in changed.values()):
            ctx.request = ctx.request.with_texts(changed)

    @hookimpl
    def on_response(self, answer: Answer) -> Answer:
        changed = {slot.path: slot.text.replace("secret", "***") for slot in answer.texts() if "secret" in slot.text}
        return answer.with_texts(changed)


class Blocks(Stage):
    """Refuses `bomb`, flags `knife`, answers `joke` by itself, and fails on `crash`."""

    name = "blocks"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> Answer | None:
        text = ctx.request.texts()[0].text
        if "crash" in text:
            raise RuntimeError("broken on purpose")
        if "bomb" in text:
            raise Refusal("content_policy_violation")
        if "knife" in text:
            ctx.note_finding(self.name)
        return completion("Ha.") if "joke" in text else None


class Passes(Stage):
    """No guard."""

    name = "passes"

    @hookimpl
    async def on_finish(self, ctx: Context) -> None:
        raise AssertionError("no guard, so nobody asks it")


def gateway_of(*stages: type[Stage], **tables: TomlValue) -> Gateway:
    """A gateway with these stages, in this order, and without a provider."""
    registry = Registry()
    for stage in stages:
        registry.register(stage)
    named = {stage.name: tables.get(stage.name, {}) for stage in stages}
    return Gateway(settings_from({"stages": named, "chain": {"stages": list(named)}}), registry=registry)
