"""Which of a model's targets can serve a request, and which of them first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentinel_core.dialects.translation import bound_to_native, performed
from sentinel_core.keys import Target
from sentinel_core.messages import Request
from sentinel_core.provider import Provider


def able(request: Request, targets: Sequence[Target], providers: Mapping[str, Provider]) -> tuple[Target, ...]:
    """The targets whose provider has the request's operation, in their order; then, in theirs, those that it can be
    translated for, unless only the former can follow it.

    All targets where that leaves none: the call says what is amiss with the request.
    """
    native: list[Target] = []
    translated: list[Target] = []
    for target in targets:
        provider = providers.get(target.provider)
        operation = performed(request, provider.performs()) if provider is not None else None
        if operation == request.operation:
            native.append(target)
        elif operation is not None:
            translated.append(target)
    if translated and native and bound_to_native(request):
        translated = []
    return (*native, *translated) or tuple(targets)
