"""What is known about models: the service `catalogue`, which says what lives where, until when, and at what price."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Protocol, TypeAlias

import msgspec
from msgspec import Meta

from sentinel_core.config.files import Readable

Status: TypeAlias = Literal["current", "deprecated", "retired", "unknown"]
"""`deprecated` still answers and has an end announced; `unknown` depends on the host that serves it."""
Trust: TypeAlias = Literal["documented", "reported", "unverified"]
"""Read in the provider's own documentation or SDK, read elsewhere, or common knowledge that nobody checked."""
Capability: TypeAlias = Literal["chat", "completion", "embedding", "reasoning", "structured_output", "tools", "vision"]
ONLY_EMBEDS: tuple[Capability, ...] = ("embedding",)
"""What a model can do that writes nothing."""
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Tokens = Annotated[int, Meta(ge=1)]
Dollars = Annotated[float, Meta(ge=0, le=1_000_000)]
Factor = Annotated[float, Meta(ge=0, le=1_000)]


class PriceTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a call costs whose prompt is longer; the whole call, not only what is above."""

    above_tokens: Tokens
    """The longest prompt that does not cost this."""
    input_usd: Dollars
    """As in `ModelFacts`, each of these."""
    output_usd: Dollars
    """See `input_usd`."""
    cached_input_usd: Dollars | None = None
    """See `input_usd`."""
    cache_write_usd: Dollars | None = None
    """See `input_usd`."""
    cache_write_1h_usd: Dollars | None = None
    """See `input_usd`."""
    reasoning_usd: Dollars | None = None
    """See `input_usd`."""


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model. None stands for what is not known; `trust` is about the life cycle, `price_trust` about prices."""

    id: Name
    """What a request's `model` says."""
    provider: Name
    """The `kind` of the provider that serves it."""
    status: Status = "current"
    """Whether it answers."""
    shutdown_date: date | None = None
    """The first day on which it does not."""
    successor: Name | None = None
    """The model that takes its place: its provider's suggestion where there is one, else the nearest current one."""
    context_window: Tokens | None = None
    """Tokens of prompt and answer together."""
    max_output_tokens: Tokens | None = None
    """Tokens of one answer."""
    image_tokens: Tokens | None = None
    """Tokens that one image in a prompt counts at most."""
    capabilities: tuple[Capability, ...] = ()
    """What it can do, as far as it is known."""
    input_usd: Dollars | None = None
    """US dollars for a million tokens of prompt, in the lowest tier."""
    cached_input_usd: Dollars | None = None
    """US dollars for a million tokens of prompt that the provider had in its cache."""
    cache_write_usd: Dollars | None = None
    """US dollars for a million tokens of prompt that the provider wrote into its cache."""
    cache_write_1h_usd: Dollars | None = None
    """The same where they were written for an hour, if that costs another price: Anthropic's `ttl = "1h"`."""
    output_usd: Dollars | None = None
    """US dollars for a million tokens of answer, in the lowest tier. What only embeds (`capabilities = ["embedding"]`)
    has none."""
    reasoning_usd: Dollars | None = None
    """US dollars for a million tokens of thoughts, where they do not cost what the answer does."""
    tiers: tuple[PriceTier, ...] = ()
    """What calls with long prompts cost."""
    service_factors: dict[str, Factor] = {}
    """What a `service_tier` does to the price: `{ flex = 0.5 }` where it has the price of a batch. Any other tier costs
    the plain price."""
    trust: Trust = "documented"
    """How well status and date are known."""
    price_trust: Trust = "unverified"
    """How well prices and sizes are known."""
    default: bool = False
    """Whether it stands for its provider where a request names no model."""
    note: str = ""
    """What else one should know."""

    @property
    def only_embeds(self) -> bool:
        """Whether it writes nothing."""
        return self.capabilities == ONLY_EMBEDS

    def retired(self, on: date) -> bool:
        """Whether it no longer answers on that day."""
        return self.status == "retired" or (self.shutdown_date is not None and self.shutdown_date <= on)


class ModelCatalogue(Protocol):
    """The service `catalogue`. `dated` is the day its facts were gathered."""

    @property
    def dated(self) -> date:
        """The day on which the facts were gathered."""
        ...

    @property
    def version(self) -> str:
        """Which facts these are: their day, and a mark of the operator's own file where there is one."""
        ...

    def models(self) -> tuple[ModelFacts, ...]:
        """Every model, retired ones included."""
        ...

    def find(self, model: str) -> ModelFacts | None:
        """What is known about a model."""
        ...

    def living(self, model: str, on: date) -> str | None:
        """The model itself unless it is retired on that day, else its nearest successor that is not; None without one.

        A model that nobody knows counts as living.
        """
        ...

    def default(self, provider: str, on: date) -> str | None:
        """The model that stands for a kind of provider where a request names none."""
        ...

    def overlaid(self, path: Readable) -> ModelCatalogue:
        """The same catalogue with the rows of a file over its own. Raises `ConfigError` with every problem."""
        ...
