"""Refusals of what nothing here serves."""

from __future__ import annotations

from sentinel_core.context import Call
from sentinel_core.errors import Refusal


def unknown_model(model: str | None) -> Refusal:
    """No provider has the model, or none is named."""
    if model is None:
        return Refusal(
            "model_not_found", "The request names no model, and none is configured to stand in.", param="model"
        )
    message = f"The model {model!r} is not served here; GET /v1/models lists models that are."
    return Refusal("model_not_found", message, param="model")


def unsupported(call: Call) -> Refusal:
    """The provider does not perform what is asked of its model."""
    words = {
        "completion": "text completions",
        "embedding": "embeddings",
        "response": "responses",
        "count_tokens": "token counts",
    }
    operation = call.request.operation
    message = f"The model {call.target.model!r} does not support {words.get(operation, operation)}."
    return Refusal("unsupported_operation", message, param="model")
