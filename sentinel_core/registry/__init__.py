"""Plugins: what is installed, what is loaded, and what each of them contributes."""

from sentinel_core.registry.contributions import Contribution, Kind
from sentinel_core.registry.installed import PluginInfo, installed
from sentinel_core.registry.registry import Registry

__all__ = ["Contribution", "Kind", "PluginInfo", "Registry", "installed"]
