"""The service `tokens`: OpenAI's own tokenizer with its encodings on board. Nothing is downloaded."""

from collections.abc import Mapping

from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import TOKENS, ServiceFactory
from sentinel_plugins.tokens.counter import TiktokenCounter


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """The `tokens` service."""
    return {TOKENS: TiktokenCounter}
