"""A pytest plugin: leaves out of the long form what README's command has just tried in the very same way.

`SENTINEL_PASSED` is that run's JUnit report. Properties are tried again, with more examples, and so is whatever was
skipped there, or has another name here.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from types import ModuleType

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Pytest's hook."""
    passed = set(_passed(os.environ["SENTINEL_PASSED"]))
    tried = [item for item in items if _name(item.nodeid) in passed and not _may_be_a_property(item)]
    config.hook.pytest_deselected(items=tried)
    again = set(map(id, tried))
    items[:] = [item for item in items if id(item) not in again]


def _passed(report: str) -> Iterator[tuple[str, str]]:
    cases = ElementTree.parse(report).iter("testcase")
    return ((case.get("classname", ""), case.get("name", "")) for case in cases if not len(case))


def _name(nodeid: str) -> tuple[str, str]:
    """As in the report: `tests.core.test_order.TestOrder` and `test_name[parameter]`."""
    address, bracket, parameters = nodeid.partition("[")
    file, *names = address.split("::")
    *classes, name = names
    return ".".join([file.removesuffix(".py").replace("/", "."), *classes]), name + bracket + parameters


def _may_be_a_property(item: pytest.Item) -> bool:
    """Whatever stands in a module that has a name of hypothesis: how many examples it tries is asked in many ways."""
    if not isinstance(item, pytest.Function):
        return True
    names = {**vars(item.module), **getattr(item.function, "__globals__", {})}
    return any(_module_of(value).partition(".")[0] == "hypothesis" for value in names.values())


def _module_of(value: object) -> str:
    return value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
