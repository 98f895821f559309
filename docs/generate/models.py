"""The catalogue of models, from the file that ships with the release."""

from __future__ import annotations

from collections.abc import Sequence

from docs.generate.markdown import table
from docs.generate.struct_table import struct_table
from sentinel_core.model_facts import ModelFacts, PriceTier
from sentinel_plugins.catalogue.catalogue import FileCatalogue

HEAD = """# Models

What this release knows about models, as of {dated}: which provider serves them, until when, how large they are, what
they cost. `sentinel models` prints the same for your configuration.

The catalogue is knowledge, not permission: a model that is not in it is served all the same. It decides three things.

- A model that is asked for by name, and that neither `[[models]]` nor a provider's `models` lists, goes to the provider
  it belongs to, if that is configured; else to the first provider without a list.
- A request without a model gets each provider's `default_model`, else the one marked "default" here.
- Nothing is routed automatically to a retired model: its successor takes its place. Asked for by name, it is still
  asked of its provider, and a configuration that names one is warned about at start.

"How known" is about status and date: *documented* in the provider's own words, *reported* by others, or
*unverified*. Prices and sizes have a mark of their own; those marked * are unverified. Check prices before you bill
anybody by them.

## Your own rows

```toml
[catalogue]
file = "models.toml"
```

That file has `[[models]]` tables. A row whose `id` is known changes the keys it has and no others; any other row is a
new model. A row with `default = true` takes that place from the shipped one of its provider.

A price is a target's if the row's `id` is the model's and its `provider` the target's kind. A row with the id
`<table>/<model>` or `<kind>/<model>` is the price at that provider alone, such as what a host bills for a model of
somebody else's; a provider's further keys (`same_as`) have the price of its table. What runs on your own machine
(`ollama`, `echo`) costs nothing unless a row says otherwise; every other model without a row has no price, which is not
the same as 0.

`service_factors` say what tiers of a provider cost (OpenAI's and Anthropic's `service_tier`): the price is multiplied
by the factor of the tier that the answer names, else of the one that was asked for. The shipped rows have those of
`priority`, also called `fast`, for models of OpenAI whose lists are known; rows of your own add others, such as `flex`.

"""

COLUMNS = ("model", "status", "until", "successor", "context", "output", "in", "cached", "out", "how known", "")
PRICES = "Tokens of context and output; US dollars for a million tokens in, in from the provider's cache, and out.\n"


def models_page() -> str:
    """The page `reference/models.md`."""
    catalogue = FileCatalogue.shipped()
    parts = [HEAD.format(dated=catalogue.dated), struct_table(ModelFacts)]
    parts += ["\n### tiers\n\n", struct_table(PriceTier), "\n## The catalogue\n\n", PRICES]
    for provider in dict.fromkeys(model.provider for model in catalogue.models()):
        rows = [_row(model) for model in catalogue.models() if model.provider == provider]
        parts += [f"\n### {provider}\n\n", table(COLUMNS, rows)]
    return "".join(parts)


def _row(model: ModelFacts) -> Sequence[str]:
    mark = "" if model.price_trust != "unverified" else "*"
    sizes = (model.context_window, model.max_output_tokens)
    prices = (model.input_usd, model.cached_input_usd, model.output_usd)
    return (
        f"`{model.id}`" + (" (default)" if model.default else ""),
        model.status,
        str(model.shutdown_date or ""),
        f"`{model.successor}`" if model.successor else "",
        *("" if size is None else f"{size:,}{mark}" for size in sizes),
        *("" if price is None else f"{price:g}{mark}" for price in prices),
        model.trust,
        model.note,
    )
