"""`GET /v1/models` and `GET /v1/models/{id}`: what this gateway serves, in OpenAI's shape, or in Anthropic's for its
clients, who say so in their head."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

import msgspec

from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.catalogue import ModelInfo
from sentinel_core.permission import permits

ANTHROPIC_VERSION = "anthropic-version"
"""The header that every client of Anthropic's API sends."""
_LIST = "The models that are known here; in Anthropic's form for clients that send `anthropic-version`"
_ONE = "A model that requests may name"


class Model(msgspec.Struct, frozen=True, tag_field="object", tag="model"):
    """One model (https://platform.openai.com/docs/api-reference/models). `created` is seconds since the epoch."""

    id: str
    created: int
    owned_by: str


class ModelList(msgspec.Struct, frozen=True, tag_field="object", tag="list"):
    """What the caller may name of the models that are listed or known. Some providers take other names too."""

    data: tuple[Model, ...]


class AnthropicModel(msgspec.Struct, frozen=True, tag_field="type", tag="model"):
    """The same model as Anthropic's clients read it (https://docs.anthropic.com/en/api/models-list)."""

    id: str
    display_name: str
    created_at: datetime
    lifecycle: Literal["active"] = "active"


class AnthropicModelList(msgspec.Struct, frozen=True):
    """All of them on one page."""

    data: tuple[AnthropicModel, ...]
    first_id: str | None
    last_id: str | None
    has_more: bool = False


def endpoints(gateway: Gateway) -> tuple[Endpoint, ...]:
    """Both routes. A model's id may hold slashes; one that the caller may not use is not there. A name that a provider
    would be given is found, listed or not."""

    def permitted(request: HttpRequest, models: Iterable[ModelInfo]) -> tuple[Model, ...]:
        allowed = request.principal.models if request.principal is not None else None
        return tuple(
            Model(info.id, info.created, info.owned_by)
            for info in models
            if allowed is None or any(permits(allowed, target.model) for target in gateway.candidates(info.id))
        )

    async def list_models(request: HttpRequest) -> HttpReply:
        models = permitted(request, gateway.models())
        return HttpReply(_page(models) if _is_anthropics(request) else ModelList(models))

    async def get_model(request: HttpRequest) -> HttpReply:
        for model in permitted(request, gateway.models(request.path_params["id"])):
            return HttpReply(_anthropic(model) if _is_anthropics(request) else model)
        raise Refusal("model_not_found", param="model")

    return (
        Endpoint("GET", "/v1/models", list_models, "caller", response=ModelList, summary=_LIST, tags=("models",)),
        Endpoint("GET", "/v1/models/{id:path}", get_model, "caller", response=Model, summary=_ONE, tags=("models",)),
    )


def _is_anthropics(request: HttpRequest) -> bool:
    return ANTHROPIC_VERSION in request.client.headers


def _anthropic(model: Model) -> AnthropicModel:
    return AnthropicModel(model.id, model.id, datetime.fromtimestamp(model.created, UTC))


def _page(models: tuple[Model, ...]) -> AnthropicModelList:
    first, last = (models[0].id, models[-1].id) if models else (None, None)
    return AnthropicModelList(tuple(map(_anthropic, models)), first, last)
