"""What the code has, the reference has: hooks, errors, settings, commands, headers, routes, log fields."""

from __future__ import annotations

import ast
import inspect
import re

import msgspec
import pytest

from docs.generate.command_line import commands
from docs.generate.configuration import plugin_tables
from docs.generate.pages import PAGES, ROOT, text_of
from sentinel_core.config.aliases import ALIASES, KEYED_PROVIDERS
from sentinel_core.config.settings import (
    CatalogueSettings,
    ChainSettings,
    ModelSettings,
    ServerSettings,
    TargetSettings,
)
from sentinel_core.dialects.openai_chat.request import GATEWAY_FIELDS
from sentinel_core.dialects.openai_chat.steering import REFUSED_FIELDS, REFUSED_MEMBERS
from sentinel_core.errors import ERRORS
from sentinel_core.hookspecs import PHASES, PhaseHooks, StartUpHooks
from sentinel_core.order import DEFAULT_ORDER
from sentinel_core.stage import StageConfig
from sentinel_server.access_log import AccessRecord
from sentinel_server.edge.cors import Cors
from tests.promises.tree import PACKAGES, modules, page

SETTINGS: tuple[type[msgspec.Struct], ...] = (
    ServerSettings,
    ChainSettings,
    CatalogueSettings,
    ModelSettings,
    TargetSettings,
    StageConfig,
)
HEADER = re.compile(
    r'b?"(x-[a-z-]+|server-timing|retry-after(?:-ms)?|access-control-allow-origin|vary|allow|www-authenticate)"'
)
# Headers that a browser itself or a middleman reads, and `cache-control`, which pages may read anyway.
NOT_FOR_PAGES = {
    "allow",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "content-security-policy",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "vary",
    "cache-control",
    "x-accel-buffering",
    "connection",
}
# Names that the server only reads, that go to a provider, or that are values and not headers.
NOT_SENT = {"x-admin-key", "x-api-key", "x-forwarded-for", "x-goog-api-key", "x-gzip"}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == text_of(name), "run `python -m docs.generate`"


@pytest.mark.parametrize("hooks", [PhaseHooks, StartUpHooks])
def test_every_hook_is_documented_with_its_exact_signature(hooks: type) -> None:
    text = page("docs/reference/hooks.md")
    for name, function in vars(hooks).items():
        if not name.startswith("_"):
            line = re.search(rf"^(?:async )?def {name}\(.*$", text, re.MULTILINE)
            assert line, name
            documented = ast.parse(f"{line[0]}: ...").body[0]
            assert isinstance(documented, ast.FunctionDef)
            assert [arg.arg for arg in documented.args.args] == list(inspect.signature(function).parameters)[1:]
            assert inspect.cleandoc(function.__doc__) in text


def test_the_phases_in_the_explanation_are_the_phases_of_the_code() -> None:
    assert re.findall(r"^\| `(\w+)\(ctx", page("docs/explanation/chain.md"), re.MULTILINE) == list(PHASES)


def test_every_error_code_is_documented_with_status_and_type() -> None:
    text = page("docs/reference/errors.md")
    for code, kind in ERRORS.items():
        assert f"| `{code}` | {kind.status} | `{kind.type}` |" in text


def test_every_setting_is_documented() -> None:
    text = page("docs/reference/configuration.md")
    for struct in (*SETTINGS, *(struct for _, struct, _ in plugin_tables())):
        for field in msgspec.structs.fields(struct):
            assert f"| `{field.encode_name}` |" in text, f"{struct.__name__}.{field.name}"


def test_s0_12_every_variable_is_documented_and_in_the_example_file() -> None:
    text, example = page("docs/reference/configuration.md"), page(".env.example")
    for alias in ALIASES:
        for name in alias.names:
            assert f"`{name}`" in text
            assert re.search(rf"\b{name}\b", example), name


def test_the_example_file_moves_no_provider_and_shortens_no_timeout() -> None:
    """It is copied before anybody reads it."""
    set_to = dict(re.findall(r"^([A-Z_]+)=(.+)$", page(".env.example"), re.MULTILINE))
    moving = {name for row in KEYED_PROVIDERS for name in (*row.urls, *row.api_keys)}
    assert set_to.keys().isdisjoint(moving | {"REQUEST_TIMEOUT_SECONDS"})


def test_every_field_that_is_not_forwarded_is_documented() -> None:
    text = page("docs/reference/endpoints.md")
    members = {f"{holder}.{name}" for holder, name in REFUSED_MEMBERS}
    assert all(f"`{name}`" in text for name in GATEWAY_FIELDS | REFUSED_FIELDS | members)


def test_the_default_order_is_explained() -> None:
    assert " · ".join(f"`{name}`" for name in DEFAULT_ORDER) in " ".join(page("docs/explanation/chain.md").split())


def test_every_command_and_option_is_documented() -> None:
    text = page("docs/reference/cli.md")
    for name, command in commands().items():
        assert f"## `sentinel {name}`" in text
        for option in (option for item in command.params for option in item.opts if option.startswith("--")):
            assert f"`{option}`" in text


def test_every_field_of_the_access_log_is_documented() -> None:
    text = page("docs/reference/access-log.md")
    assert all(f"| `{field.name}` |" in text for field in msgspec.structs.fields(AccessRecord))


def test_every_response_header_is_documented() -> None:
    text = page("docs/reference/headers.md")
    sent = set()
    for path in (path for package in PACKAGES for path in modules(package)):
        sent |= set(HEADER.findall(path.read_text("utf-8")))
    assert {name for name in sent - NOT_SENT - of_responses() if f"`{name}`" not in text} == set()


def test_pages_of_a_browser_may_read_every_response_header_that_is_for_them() -> None:
    exposed = dict(Cors(("*",)).headers(b"https://app.example"))[b"access-control-expose-headers"].decode()
    assert set(exposed.split(", ")) == of_responses() - NOT_FOR_PAGES


def of_responses() -> set[str]:
    """The headers of responses that the page has."""
    rows = page("docs/reference/headers.md").partition("## Of a response")[2]
    documented: set[str] = set()
    for row in re.findall(r"^\| (`.+?) \|", rows, re.MULTILINE):
        first, *others = re.findall(r"`([a-z-]+)`", row)
        documented |= {first, *(_written_out(name, first) for name in others)}
    return documented


def _written_out(name: str, first: str) -> str:
    """`-reset-tokens` beside `x-ratelimit-limit-tokens`: as many words of it are others."""
    return first.rsplit("-", name.count("-"))[0] + name if name.startswith("-") else name
