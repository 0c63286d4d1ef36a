"""Work beside the answer to a form: held, waited for within limits, told by its kind when it fails."""

from __future__ import annotations

import asyncio

import pytest

from handlers.errands import Errands


class Secretive(Exception):
    """An error that names what must not be logged."""


async def test_what_is_done_in_time_is_given() -> None:
    later: list[str] = []

    async def keep(value: str) -> None:
        later.append(value)

    assert await Errands().promptly(asyncio.sleep(0, "done"), keep) == "done"
    assert later == []


async def test_what_fails_in_time_is_raised() -> None:
    async def work() -> str:
        raise Secretive

    async def never(_: str) -> None:
        raise AssertionError

    with pytest.raises(Secretive):
        await Errands().promptly(work(), never)


async def test_what_takes_longer_goes_on_and_is_given_later() -> None:
    errands, gate, later = Errands(patience=0.01), asyncio.Event(), list[str]()

    async def work() -> str:
        await gate.wait()
        return "done"

    async def keep(value: str) -> None:
        later.append(value)

    with pytest.raises(TimeoutError):
        await errands.promptly(work(), keep)
    gate.set()
    await errands.close()
    assert later == ["done"]


async def test_a_failure_is_logged_by_its_kind_alone(caplog: pytest.LogCaptureFixture) -> None:
    errands = Errands()

    async def work() -> None:
        raise Secretive("ana@example.com")

    errands.start(work())
    await errands.close()
    await asyncio.sleep(0)
    assert "Secretive" in caplog.text
    assert "ana@example.com" not in caplog.text
