"""The service `catalogue`: what is known about models, from a dated file and from one of the operator's own."""

from collections.abc import Mapping
from functools import cache

from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import CATALOGUE, ServiceFactory
from sentinel_plugins.catalogue.catalogue import FileCatalogue


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """The `catalogue` service."""
    return {CATALOGUE: shipped}


@cache
def shipped() -> FileCatalogue:
    """The catalogue that comes with this release. It never changes, so it is read once."""
    return FileCatalogue.shipped()
