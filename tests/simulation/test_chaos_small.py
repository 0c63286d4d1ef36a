"""The small form of `make chaos`: a real bot process, faults, three kills and an outage, on both databases."""

from __future__ import annotations

import pytest

from bot.errors import UsageError
from bot.measure.chaos import chaos

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]


def _run(**options: object) -> tuple[int, str]:
    said: list[str] = []
    status = chaos(said.append, events=150, kills=3, seed=1, **options)  # type: ignore[arg-type]
    return status, "\n".join(said)


@pytest.mark.parametrize("place", ["sqlite", "postgres"])
def test_nothing_is_lost_doubled_or_out_of_order(place: str, request: pytest.FixtureRequest) -> None:
    """Every message gets one answer whatever breaks, and is found again when Slack gave it up."""
    url = request.getfixturevalue("postgres_url") if place == "postgres" else None

    status, report = _run(database_url=url)

    assert status == 0, report


def test_a_database_in_use_is_refused(postgres_url: str) -> None:
    """A chaos run fills its database, so it never takes one that somebody else uses."""
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE inbox (key text)")

    with pytest.raises(UsageError, match="an empty one"):
        chaos(lambda _: None, events=20, kills=0, seed=1, database_url=postgres_url)


def test_too_small_a_run_is_refused() -> None:
    """Fewer events than that prove nothing."""
    with pytest.raises(UsageError, match="at least 20"):
        chaos(lambda _: None, events=3, kills=0, seed=1)
