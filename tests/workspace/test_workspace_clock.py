"""Workspace time."""

from __future__ import annotations

import asyncio

import pytest

from integrations.workspace import Workspace
from integrations.workspace.clock import Clock


async def test_timestamps_are_unique_and_increase_even_within_a_microsecond(ws: Workspace) -> None:
    stamps = [ws.clock.ts() for _ in range(5000)]
    assert stamps == sorted(set(stamps))


async def test_what_falls_due_runs_in_order_at_its_own_time() -> None:
    clock = Clock()
    start, ran = clock.now(), []
    clock.call_at(start + 30, lambda: ran.append(("b", round(clock.now() - start))))
    clock.call_at(start + 10, lambda: ran.append(("a", round(clock.now() - start))))
    clock.call_at(start + 90, lambda: ran.append(("never", 0)))
    clock.call_at(start + 20, lambda: ran.append(("cancelled", 0))).cancel()
    clock.advance(60)
    assert ran == [("a", 10), ("b", 30)]
    assert round(clock.now() - start) == 60
    clock.close()


async def test_a_timer_set_by_a_timer_runs_in_the_same_jump() -> None:
    clock = Clock()
    ran: list[float] = []
    start = clock.now()

    def again() -> None:
        clock.call_at(clock.now() + 5, lambda: ran.append(round(clock.now() - start)))

    clock.call_at(start + 1, again)
    clock.advance(10)
    assert ran == [6]
    clock.close()


async def test_real_time_passes_too() -> None:
    clock = Clock()
    rang = asyncio.Event()
    clock.call_at(clock.now() + 0.02, rang.set)
    async with asyncio.timeout(5):
        await rang.wait()
    clock.close()


def test_time_never_runs_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(-1)
