"""Refund news are kept on SQLite and on Postgres alike."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.cases import Case, Status
from bot.domain.identity import CustomerRef, Provider
from bot.domain.incoming import Place
from bot.domain.outbox import Changes, Post, Say
from bot.domain.redaction import Redacted, redacted
from bot.domain.refund_news import NEWS_LASTS, Ended, RefundNews, Told
from bot.domain.replies import Address, Reply
from bot.domain.transactions import RefundState
from bot.errors import Conflict
from bot.ports import Pending, WakeKind
from bot.services.waking import SOON, Waker, sweep
from bot.storage.books import SqlBooks
from bot.storage.cases import SqlCases
from bot.storage.news import SqlNews
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CROWD = 20
PLAIN: Any = "text that was never redacted"


@dataclass(frozen=True, slots=True)
class Kept:
    """The stores over one database, with one case in it."""

    clock: FakeClock
    cases: SqlCases
    news: SqlNews
    books: SqlBooks

    async def put(self, *rows: RefundNews) -> tuple[Pending, ...]:
        added = [await self.cases.apply(Changes(news=row)) for row in rows]
        return tuple(one for some in added for one in some)

    async def one(self, news_id: str = "news_a") -> RefundNews:
        found = await self.news.get(news_id)
        assert found is not None
        return found


@pytest_asyncio.fixture
async def kept(sql: AsyncEngine) -> Kept:
    """The stores over an empty database."""
    clock = FakeClock(AT)
    cases = SqlCases(sql, clock)
    case = Case("case_a", "T1:D1ANA:1", "T1", "D1ANA", Place.DM, None, "U1ANA", Status.OPEN, None, 0, "1.0")
    await cases.apply(Changes(cases=(case,)))
    return Kept(clock, cases, SqlNews(sql), SqlBooks(sql))


def news(name: str = "news_a", refund: str = "re_1", **changes: Any) -> RefundNews:
    made = RefundNews(
        id=name,
        team="T1",
        user="U1ANA",
        channel="D1ANA",
        case="case_a",
        refund=refund,
        customer=CustomerRef(Provider.STRIPE, "cus_ana1"),
        article="refund-status",
        label=redacted("$49.00, created on 1 March 2026"),
        told=Told(RefundState.SUCCEEDED, trace=True, window=False, sent_at=AT),
        tick=0,
        due_at=AT + timedelta(hours=5),
        ends_at=AT + NEWS_LASTS,
    )
    return replace(made, **changes)


def say() -> Post:
    return Post(Address("T1", "D1ANA"), Say(Reply(redacted("news"))), case="case_a")


async def test_it_comes_back_as_it_was_with_its_first_look_to_come(kept: Kept) -> None:
    added = await kept.put(news())

    found = await kept.one()
    assert found == news(tick=1)
    assert isinstance(found.label, Redacted)
    assert added == (Pending(WakeKind.NEWS, "news_a:1", "news:news_a", found.due_at),)
    assert await kept.news.of_refund("T1", "U1ANA", "re_1") == found
    assert await kept.news.of_person("T1", "U1ANA") == (found,)


async def test_it_is_one_persons_of_one_team(kept: Kept) -> None:
    await kept.put(news(), news("news_b", "re_2"), news("news_c", user="U1BEN"), news("news_d", team="T2"))

    assert [one.id for one in await kept.news.of_person("T1", "U1ANA")] == ["news_a", "news_b"]
    assert [one.id for one in await kept.news.of_person("T2", "U1ANA")] == ["news_d"]
    assert await kept.news.of_person("T1", "U1EVE") == ()
    assert await kept.news.of_refund("T1", "U1BEN", "re_2") is None
    assert await kept.news.get("news_x") is None


async def test_there_is_one_open_for_a_person_and_a_refund(kept: Kept) -> None:
    await kept.put(news())
    with pytest.raises(Conflict):
        await kept.put(news("news_b"))
    assert await kept.news.get("news_b") is None

    await kept.put(replace(await kept.one(), ended=Ended.STOPPED))
    await kept.put(news("news_b"))
    again = await kept.news.of_refund("T1", "U1ANA", "re_1")
    assert again is not None
    assert again.id == "news_b"


async def test_of_twenty_who_ask_at_once_one_is_kept(kept: Kept) -> None:
    ends = await asyncio.gather(*(kept.put(news(f"news_{number}")) for number in range(CROWD)), return_exceptions=True)

    assert [type(end) for end in ends if isinstance(end, BaseException)] == [Conflict] * (CROWD - 1)
    assert len(await kept.news.of_person("T1", "U1ANA")) == 1


async def test_each_look_is_written_once_with_what_it_says(kept: Kept) -> None:
    await kept.put(news())
    read = await kept.one()
    later = replace(read, told=Told(RefundState.FAILED), due_at=AT + timedelta(days=1))

    added = await kept.cases.apply(Changes(news=later, posts=(say(),)))
    assert [one.kind for one in added] == [WakeKind.DELIVER, WakeKind.NEWS]
    assert added[1].id == "news_a:2"
    with pytest.raises(Conflict):
        await kept.cases.apply(Changes(news=later, posts=(say(),)))

    assert await kept.one() == replace(later, tick=2)
    assert len(await kept.books.pending()) == 1


async def test_of_twenty_looks_at_once_one_tells(kept: Kept) -> None:
    await kept.put(news())
    read = await kept.one()

    async def look() -> None:
        await kept.cases.apply(Changes(news=read, posts=(say(),)))

    ends = await asyncio.gather(*(look() for _ in range(CROWD)), return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [Conflict] * (CROWD - 1)
    assert len(await kept.books.pending()) == 1


async def test_a_look_that_cannot_be_said_is_not_written_either(kept: Kept) -> None:
    await kept.put(news())
    read = await kept.one()

    with pytest.raises(StatementError):
        await kept.cases.apply(Changes(news=replace(read, label=PLAIN), posts=(say(),)))
    assert await kept.one() == read
    assert await kept.books.pending() == ()


async def test_what_ended_stays_ended(kept: Kept) -> None:
    await kept.put(news())
    read = await kept.one()

    assert await kept.put(replace(read, ended=Ended.ARRIVED)) == ()
    assert await kept.news.get("news_a") is None
    for stale in (read, replace(read, tick=2)):
        with pytest.raises(Conflict):
            await kept.put(stale)
    assert await kept.books.news_before(AT + timedelta(days=400)) == ()


async def test_what_falls_due_is_listed_in_time_and_is_no_work_that_waits(kept: Kept) -> None:
    soon, late = AT + timedelta(minutes=5), AT + timedelta(days=2)
    await kept.put(news("news_b", "re_2", due_at=late), news(due_at=soon))

    assert await kept.books.pending() == ()
    assert await kept.books.news_before(soon) == ()
    (due,) = await kept.books.news_before(late)
    assert due == Pending(WakeKind.NEWS, "news_a:1", "news:news_a", soon)


async def test_a_sweep_wakes_what_is_due_anew_and_what_is_due_soon_once(kept: Kept) -> None:
    """A wake-up that waits is not doubled by each sweep; one that was lost, or spent in vain, is made again."""
    engine = FakeEngine(kept.clock)
    waker = Waker(engine, kept.cases, kept.clock)
    await kept.put(
        news(due_at=AT - timedelta(days=3)),
        news("news_b", "re_2", due_at=AT + timedelta(seconds=SOON - 1)),
        news("news_c", "re_3", due_at=AT + timedelta(seconds=SOON + 1)),
    )

    for nonce in ("first", "second"):
        assert await sweep(kept.books, waker, nonce) == 2
    assert [(wake.id, wake.kind, wake.subject) for wake in engine.woken] == [
        ("news:news_a:1:sweep-first", WakeKind.NEWS, "news_a:1"),
        ("news:news_b:1", WakeKind.NEWS, "news_b:1"),
        ("news:news_a:1:sweep-second", WakeKind.NEWS, "news_a:1"),
    ]
    assert engine.delays["news:news_b:1"] == SOON - 1
