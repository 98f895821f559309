"""The counts in the text formats of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/ and https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from sentinel_core.counts import Family
from sentinel_core.gateway import Gateway

PREFIX = "sentinel_"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class Exposition(Collector):
    """The counts of one gateway, read whenever somebody asks.

    With several workers each answers for itself, whichever is asked: their series are told apart by `worker`, so that
    none ever seems to fall.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        several = gateway.settings.server.workers > 1
        self._own = {"worker": str(os.getpid())} if several else {}

    def text(self) -> bytes:
        """In the format `TEXT`."""
        return generate_latest(self._registry)

    def openmetrics(self) -> bytes:
        """In the format `OPENMETRICS`."""
        text: bytes = generate_openmetrics(self._registry)  # type: ignore[no-untyped-call]  # theirs has no annotations
        return text

    def collect(self) -> Iterator[Metric]:
        """Every family; nothing before the gateway is open."""
        if not self._gateway.started:
            return
        for gauge in gauges(self._gateway):
            metric = GaugeMetricFamily(PREFIX + gauge.name, gauge.help, labels=[*self._own])
            metric.add_metric([*self._own.values()], gauge.value)
            yield metric
        for family in self._gateway.services.counts:
            yield self._counter(family)

    def _counter(self, family: Family) -> CounterMetricFamily:
        metric = CounterMetricFamily(PREFIX + family.name, family.help, labels=[*family.labels, *self._own])
        for values, number in family.read():
            metric.add_metric([*values, *self._own.values()], number)
        return metric


class Gauge(NamedTuple):
    """A number as it is now."""

    name: str
    help: str
    value: float


def gauges(gateway: Gateway) -> Iterator[Gauge]:
    """What is looked at when somebody asks."""
    yield Gauge("uptime_seconds", "Since this process opened its gateway", gateway.uptime_s)
    yield Gauge("in_flight", "Exchanges that are open", gateway.in_flight)
    yield Gauge("state_available", "1 unless the state store is known not to answer", gateway.state.available)
    yield Gauge("records_available", "1 unless the record store is known not to answer", gateway.records.available)


def wanted(accept: str) -> str:
    """The format that an Accept header asks for most, of several the first; empty for JSON. Scrapers name a version,
    browsers and clients do not."""
    best, most = "", 0.0
    for part in accept.lower().split(","):
        kind, *parameters = [text.strip() for text in part.split(";")]
        form, weight = _form(kind, parameters), _weight(parameters)
        if form is not None and weight > most:
            best, most = form, weight
    return best


def _form(kind: str, parameters: Sequence[str]) -> str | None:
    """The format of a media type, None for one that says nothing about it."""
    if kind == "text/plain" and any(parameter.startswith("version=") for parameter in parameters):
        return TEXT
    return {"application/openmetrics-text": OPENMETRICS, "application/json": ""}.get(kind)


def _weight(parameters: Sequence[str]) -> float:
    """How much it is wanted (RFC 9110, 12.4.2); 1 where nothing that can be read says so."""
    found = next((match for parameter in parameters if (match := _WEIGHT.fullmatch(parameter))), None)
    return float(found[1]) if found is not None else 1.0
