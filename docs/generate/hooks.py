"""Every hook and what an author subclasses, from `hookspecs`, `stage` and `provider`."""

from __future__ import annotations

from types import ModuleType

from docs.generate.markdown import table
from docs.generate.source import attributes, class_source, functions
from docs.generate.struct_table import struct_table
from sentinel_core import hookspecs, provider, stage

HEAD = """# Hooks

Sentinel's hooks are [pluggy](https://pluggy.readthedocs.io/) hooks. They are read at start: verified, then compiled
to tuples of bound methods, in chain order. No request passes through pluggy. An implementation may name only the
arguments it wants.

Mark every implementation with `@hookimpl` from `sentinel_core`. At start these are errors, each with the name of the
stage: a misspelt phase, an argument that the phase does not have, a phase-named method without the marker,
and pluggy's ordering options (`tryfirst`, `trylast`, `wrapper`, `hookwrapper`): the list in TOML decides the order.
"""

PHASES = """## Phases of a stage

A stage implements some of five. Return a reply to answer, raise `Refusal` to deny, return None to go on; anything
else that is raised is a fault, and the stage's `on_fault` decides. A phase may be a plain function or a coroutine
function. A reply says its `dialect`, such as `OPENAI_CHAT`; clients of other formats get it translated, and one that
cannot be translated for its client is a fault.
"""


def hooks_page() -> str:
    """The page `reference/hooks.md`."""
    return "\n".join(
        [
            HEAD,
            PHASES,
            _hooks(hookspecs, "PhaseHooks"),
            "## What a plugin module contributes\n\nModule-level functions, called once, at start or reload.\n",
            _hooks(hookspecs, "StartUpHooks"),
            "## What a stage declares\n",
            _attributes(stage, "Stage"),
            "Class methods, each of which may be left out:\n",
            _hooks(stage, "Stage"),
            "## What every stage's table in TOML has\n",
            struct_table(stage.StageConfig),
            "## What a provider implements\n",
            _attributes(provider, "Provider"),
            _hooks(provider, "Provider"),
        ]
    )


def _hooks(module: ModuleType, name: str) -> str:
    parts = []
    for function in functions(class_source(module, name)):
        parts.append(f"### `{function.name}`\n\n```python\n{function.signature}\n```\n\n{function.doc}\n")
    return "\n".join(parts)


def _attributes(module: ModuleType, name: str) -> str:
    rows = [
        (f"`{item.name}`", f"`{item.type}`", f"`{item.default}`" if item.default else "", item.doc)
        for item in attributes(class_source(module, name))
    ]
    return table(["name", "type", "default", "what it says"], rows)
