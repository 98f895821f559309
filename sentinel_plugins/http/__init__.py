"""The outgoing HTTP client, on aiohttp, with limits, sizes and endings of our own."""

from collections.abc import Mapping

from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import ServiceFactory
from sentinel_plugins.http.pools import AiohttpPools


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """The `http` service."""
    return {"http": AiohttpPools}
