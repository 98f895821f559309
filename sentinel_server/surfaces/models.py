"""`GET /v1/models` and `GET /v1/models/{id}`: what this gateway serves, in OpenAI's shape."""

from __future__ import annotations

import msgspec

from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.permission import permits

_LIST = "The models that requests may name"
_ONE = "One of them"


class Model(msgspec.Struct, frozen=True, tag_field="object", tag="model"):
    """One model (https://platform.openai.com/docs/api-reference/models). `created` is seconds since the epoch."""

    id: str
    created: int
    owned_by: str


class ModelList(msgspec.Struct, frozen=True, tag_field="object", tag="list"):
    """Every model that the caller may name."""

    data: tuple[Model, ...]


def endpoints(gateway: Gateway) -> tuple[Endpoint, ...]:
    """Both routes. A model's id may hold slashes; one that the caller may not use is not there."""

    def served(request: HttpRequest) -> tuple[Model, ...]:
        allowed = request.principal.models if request.principal is not None else None
        return tuple(
            Model(info.id, info.created, info.owned_by)
            for info in gateway.models()
            if allowed is None or any(permits(allowed, target.model) for target in gateway.candidates(info.id))
        )

    async def list_models(request: HttpRequest) -> HttpReply:
        return HttpReply(ModelList(served(request)))

    async def get_model(request: HttpRequest) -> HttpReply:
        for model in served(request):
            if model.id == request.path_params["id"]:
                return HttpReply(model)
        raise Refusal("model_not_found", param="model")

    return (
        Endpoint("GET", "/v1/models", list_models, "caller", response=ModelList, summary=_LIST, tags=("models",)),
        Endpoint("GET", "/v1/models/{id:path}", get_model, "caller", response=Model, summary=_ONE, tags=("models",)),
    )
