"""`GET /v1/models` and `GET /v1/models/{id}`: what this gateway serves, in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.catalogue import ModelInfo
from sentinel_core.permission import permits

_LIST = "The models that are known here"
_ONE = "A model that requests may name"


class Model(msgspec.Struct, frozen=True, tag_field="object", tag="model"):
    """One model (https://platform.openai.com/docs/api-reference/models). `created` is seconds since the epoch."""

    id: str
    created: int
    owned_by: str


class ModelList(msgspec.Struct, frozen=True, tag_field="object", tag="list"):
    """What the caller may name of the models that are listed or known. Some providers take other names too."""

    data: tuple[Model, ...]


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
        return HttpReply(ModelList(permitted(request, gateway.models())))

    async def get_model(request: HttpRequest) -> HttpReply:
        for model in permitted(request, gateway.models(request.path_params["id"])):
            return HttpReply(model)
        raise Refusal("model_not_found", param="model")

    return (
        Endpoint("GET", "/v1/models", list_models, "caller", response=ModelList, summary=_LIST, tags=("models",)),
        Endpoint("GET", "/v1/models/{id:path}", get_model, "caller", response=Model, summary=_ONE, tags=("models",)),
    )
