"""Variable names that people already have: each row says what a name means in the tables.

Later concerns add rows; nothing else knows these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sentinel_core.config.document import Blocked, Document, Steps
from sentinel_core.config.environment import OVERRIDE, Environment
from sentinel_core.config.envtext import EnvText, plain
from sentinel_core.errors import ConfigProblem

AliasValue: TypeAlias = EnvText | list[str] | None


def text(value: str) -> AliasValue:
    """As it is."""
    return EnvText(value)


def lower(value: str) -> AliasValue:
    """For closed sets, which the tables spell in lower case."""
    return EnvText(value.strip().lower())


def comma_list(value: str) -> AliasValue:
    """`a, b` as a list."""
    return [item.strip() for item in value.split(",") if item.strip()]


def port(value: str) -> AliasValue:
    """A port. Kubernetes sets `<SERVICE>_PORT=tcp://…` in every pod beside a service called `sentinel`, or `redis`: not
    for us."""
    return None if value.startswith("tcp://") else EnvText(value)


@dataclass(frozen=True, slots=True)
class Alias:
    """One setting and the variables that set it, the strongest first.

    Two of them with different values are a problem, unless the row is `ranked`. `fills` keeps what a file says; what
    an override (`SENTINEL__…`) says is kept always. A step `*` stands for every provider table of one of `kinds`; a
    row with `kinds` makes no table, and means a store's only where it has one of them. A row with `beside` counts only
    where that key is set as well.
    """

    steps: Steps
    names: tuple[str, ...]
    read: Callable[[str], AliasValue] = text
    ranked: bool = False
    fills: bool = False
    kinds: tuple[str, ...] = ()
    beside: Steps = ()


@dataclass(frozen=True, slots=True)
class ProviderVariables:
    """A provider that variables alone turn on, where no file names providers.

    It needs one of `api_keys`, the strongest first, or one of `urls` where `keyless` says that its URL is enough; and
    a URL as well as a key where `placed` says that nobody else knows where it is. One that is `keyless` and `placed`
    needs its URL and may have a key. `urls` set the key `url_key`.
    """

    table: str
    api_keys: tuple[str, ...]
    urls: tuple[str, ...] = ()
    url_key: str = "base_url"
    default_url: str = ""
    keyless: bool = False
    placed: bool = False

    def turned_on_by(self, environ: Mapping[str, str]) -> str | None:
        """The variable that turns it on, or None."""
        key = next((name for name in self.api_keys if environ.get(name)), None)
        url = next((name for name in self.urls if environ.get(name)), None)
        if self.placed and url is None:
            return None
        return key or (url if self.keyless else None)

    def aliases(self) -> Iterator[Alias]:
        """The rows for its table. A file that names another key or address means it: what happens to be in the
        environment must not take its place, least of all send the one to the other."""
        kinds = (self.table,)
        if self.urls:
            yield Alias(("providers", self.table, self.url_key), self.urls, fills=True, kinds=kinds)
        yield Alias(("providers", self.table, "api_key"), self.api_keys, ranked=True, fills=True, kinds=kinds)


KEYED_PROVIDERS: tuple[ProviderVariables, ...] = (
    # C-05: first, so that it is the one for models that nobody knows; a catalogued model goes where it lives.
    ProviderVariables("groq", ("GROQ_API_KEY",), ("GROQ_BASE_URL",)),
    ProviderVariables("openai", ("OPENAI_API_KEY",), ("OPENAI_BASE_URL",), default_url="https://api.openai.com/v1"),
    # ANTHROPIC_BASE_URL is not read: clients set it to find this gateway, which would then call itself.
    ProviderVariables("anthropic", ("ANTHROPIC_API_KEY",), default_url="https://api.anthropic.com/v1"),
    # Google's own clients prefer the first name; their GOOGLE_GEMINI_BASE_URL is not read, as above.
    ProviderVariables("gemini", ("GOOGLE_API_KEY", "GEMINI_API_KEY")),
    ProviderVariables("cohere", ("COHERE_API_KEY",)),
    ProviderVariables("mistral", ("MISTRAL_API_KEY",)),
    ProviderVariables("deepseek", ("DEEPSEEK_API_KEY",)),
    ProviderVariables("xai", ("XAI_API_KEY",)),
    ProviderVariables("together", ("TOGETHER_API_KEY",)),
    ProviderVariables("llama", ("LLAMA_API_KEY",), ("LLAMA_BASE_URL",), keyless=True),
    ProviderVariables("openrouter", ("OPENROUTER_API_KEY",)),
    ProviderVariables("azure", ("AZURE_OPENAI_API_KEY",), ("AZURE_OPENAI_ENDPOINT",), url_key="endpoint", placed=True),
    # C-06: the key is optional, since the address may be a proxy's that adds one.
    ProviderVariables(
        "vercel",
        ("AI_GATEWAY_API_KEY", "VERCEL_AI_GATEWAY_API_KEY"),
        ("VERCEL_AI_GATEWAY_URL",),
        keyless=True,
    ),
    # Last: the fallback that needs no network (S3-09). Its key is for a proxy and says nothing of where that is.
    ProviderVariables("ollama", ("OLLAMA_API_KEY",), ("OLLAMA_BASE_URL",), keyless=True, placed=True),
)
"""In the order in which they stand for a model that no catalogue and no table knows."""

REDIS = ("redis",)
"""The stores that the REDIS_ variables are for: elsewhere they are somebody else's."""

TIMED_KINDS = tuple(row.table for row in KEYED_PROVIDERS)
"""The kinds that REQUEST_TIMEOUT_SECONDS is for."""

ZION = ("stages", "auth", "zion", "url")

ALIASES: tuple[Alias, ...] = (
    Alias(("server", "port"), ("SENTINEL_PORT", "PORT"), port, ranked=True),
    # HOST is also a shell's own variable, so the specific name settles it without a quarrel.
    Alias(("server", "host"), ("SENTINEL_HOST", "HOST"), ranked=True),
    Alias(("server", "environment"), ("SENTINEL_ENV", "APP_ENV"), lower),
    Alias(("server", "log_level"), ("SENTINEL_LOG_LEVEL", "LOG_LEVEL"), lower),
    Alias(("server", "cors_origins"), ("SENTINEL_CORS_ORIGINS", "CORS_ORIGINS"), comma_list),
    *(alias for row in KEYED_PROVIDERS for alias in row.aliases()),
    Alias(("providers", "openai", "default_model"), ("OPENAI_MODEL",), kinds=("openai",)),
    Alias(("providers", "ollama", "default_model"), ("OLLAMA_MODEL",), kinds=("ollama", "openai")),
    Alias(("providers", "*", "first_byte_timeout_s"), ("REQUEST_TIMEOUT_SECONDS",), kinds=TIMED_KINDS),
    Alias(("stages", "auth", "api_key"), ("SENTINEL_API_KEY", "SENTINELLA_API_KEY")),
    Alias(("stages", "auth", "admin_key"), ("ADMIN_API_KEY",)),
    Alias(("stages", "auth", "pepper"), ("SENTINEL_KEY_PEPPER",)),
    # C-12: the others mean something only where there is a Zion.
    Alias(("stages", "auth", "zion", "url"), ("ZION_API_URL",)),
    Alias(("stages", "auth", "zion", "api_key"), ("ZION_API_KEY",), beside=ZION),
    Alias(("stages", "auth", "zion", "limits_ttl_s"), ("CACHE_TTL_SECONDS",), beside=ZION),
    Alias(("stages", "auth", "zion", "token_ttl_s"), ("JWT_CACHE_TTL_SECONDS",), beside=ZION),
    Alias(("stages", "rate_limit", "max_requests"), ("RATE_LIMIT_MAX_REQUESTS", "RATE_LIMIT_REQUESTS")),
    Alias(("stages", "rate_limit", "window_s"), ("RATE_LIMIT_WINDOW_SECONDS",)),
    Alias(("stages", "pii", "action"), ("PII_ACTION",), lower),
    *(
        Alias(("state", key), (name,), read, fills=key == "url", kinds=REDIS)
        for key, name, read in (
            ("url", "REDIS_URL", text),
            ("host", "REDIS_HOST", text),
            ("port", "REDIS_PORT", port),
            ("timeout_s", "REDIS_SOCKET_TIMEOUT", text),
        )
    ),
    Alias(("stages", "health", "interval_s"), ("HEALTH_CHECK_INTERVAL_SECONDS",)),
    Alias(("stages", "metrics", "token"), ("METRICS_TOKEN",)),
    Alias(("stages", "retry", "max_attempts"), ("RETRY_MAX_ATTEMPTS",)),
    Alias(("stages", "retry", "base_delay_s"), ("RETRY_BASE_DELAY",)),
    Alias(("stages", "retry", "max_delay_s"), ("RETRY_MAX_DELAY",)),
    Alias(("stages", "breaker", "failure_threshold"), ("CIRCUIT_BREAKER_FAILURE_THRESHOLD",)),
    Alias(("stages", "breaker", "recovery_timeout_s"), ("CIRCUIT_BREAKER_RECOVERY_TIMEOUT",)),
)


def apply_aliases(document: Document, environment: Environment) -> list[ConfigProblem]:
    """Put what the variables of `ALIASES` say into the tables. An empty variable counts as unset."""
    problems: list[ConfigProblem] = []
    for alias in ALIASES:
        # Read before compared: PROD and prod are one value, and one that is not meant for us is none.
        found = {name: alias.read(environment[name]) for name in alias.names if environment.get(name)}
        found = {name: value for name, value in found.items() if value is not None}
        if not found:
            continue
        winner, *others = found
        differ = [name for name in others if _plain(found[name]) != _plain(found[winner])]
        if differ and not alias.ranked:
            names = " and ".join((winner, *differ))
            problems.append(ConfigProblem(f"{names} set the same thing differently", expected=f"only {winner}"))
        for steps in _places(document, alias):
            try:
                document.put(steps, found[winner], environment.origin(winner))
            except Blocked:  # the file's own fault, which its conversion reports
                continue
    return problems


def _plain(value: AliasValue) -> str | list[str] | None:
    return value.text if isinstance(value, EnvText) else value


def _places(document: Document, alias: Alias) -> Iterator[Steps]:
    for steps in _tables(document, alias):
        origin = document.origin(steps) if document.get(*steps) is not None else None
        overridden = origin is not None and origin.kind == "environment" and origin.name.upper().startswith(OVERRIDE)
        if origin is None or not (overridden or alias.fills):
            yield steps


def _tables(document: Document, alias: Alias) -> Iterator[Steps]:
    """Where the row's key is, in each of the tables that it means."""
    section = alias.steps[0]
    if not alias.kinds:
        if not alias.beside or document.get(*alias.beside) is not None:
            yield alias.steps
    elif section != "providers":
        if kind_of(document, (section,), "memory") in alias.kinds:
            yield alias.steps
    else:
        providers = document.get("providers")
        for name in list(providers) if isinstance(providers, dict) else ():
            steps = ("providers", name, *alias.steps[2:])
            if kind_of(document, ("providers", name), name) in alias.kinds and alias.steps[1] in ("*", name):
                yield steps


def kind_of(document: Document, steps: Steps, default: str) -> str:
    """What `kind` says in the table at `steps`. A `kind` that is no string is left to the table's own Struct."""
    kind = plain(document.get(*steps, "kind"))
    return kind if isinstance(kind, str) else default
