"""What all tests share: no settings of the operator, a fixed seed, a real Postgres, no skips in CI."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from bot.settings import Settings
from tests.fakes import postgres

settings.register_profile(
    "handrail",
    derandomize=True,
    max_examples=200,
    deadline=None,  # the machine's cores are shared: time is never asserted
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("handrail")

for name in Settings.model_fields:
    os.environ.pop(name.upper(), None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """In CI everything that tests need is installed, so a skipped test is a failure there."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr[-1] if report.longrepr else ''}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a running server's `postgres` database."""
    bin_dir = postgres.binaries()
    if bin_dir is None:
        pytest.skip("no Postgres server here: install postgresql to run these tests")
    with postgres.server(bin_dir) as url:
        yield url


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def new_postgres(postgres_server: str) -> Callable[[], str]:
    """Makes a new, empty database and returns its address."""
    return lambda: postgres.new_database(postgres_server, f"handrail_{os.getpid()}_{next(_numbers)}")


@pytest.fixture
def postgres_url(new_postgres: Callable[[], str]) -> str:
    """A new, empty database for one test."""
    return new_postgres()
