"""Telling people of a refund: asked for by a button, looked after by ticks, told once, in their own place alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.engine import URL

from bot.domain import buttons
from bot.domain.cases import HUMAN_HAS_IT, Case, Reason, Status
from bot.domain.identity import CustomerRef, IdentityRule, Provider
from bot.domain.incoming import Click, Incoming, Kind, Place
from bot.domain.outbox import Changes, Spoken
from bot.domain.redaction import redacted
from bot.domain.refund_news import NEWS_LASTS, RefundNews
from bot.domain.replies import Address, Home, Line, Note, Offer, Reply, Speaker
from bot.domain.transactions import RefundState
from bot.errors import Conflict
from bot.ports import WakeKind
from bot.services import news_words
from bot.services.identity import Identity, identity_key
from bot.services.packet import build_home
from bot.services.refund_news import RefundNewsService
from bot.services.refund_reading import RefundReading
from bot.services.waking import sweep
from bot.services.worker import Worker
from bot.storage import database
from bot.storage.audit import SqlAudit
from bot.storage.links import SqlCodes, SqlLinks
from bot.storage.news import SqlNews
from tests.fakes.clock import START, FakeClock
from tests.fakes.desk import FakeDesk
from tests.fakes.engine import DESK, TEAM, Core, make_core
from tests.fakes.facts import dispute, payment, refund
from tests.fakes.incoming import a_message
from tests.fakes.mail import FakeMail, FakeProfiles
from tests.fakes.payments import FakePayments

ANA, MIRA = "U1ANA", "U1MIRA"
DM = "D1ANA"
TRACE = "74537604221222132710572"
DAY = 86_400.0
REFUND = "re_1"


@dataclass(slots=True)
class Town:
    """Ana, who has one refund, and those who look after it."""

    core: Core
    news: SqlNews
    audit: SqlAudit
    profiles: FakeProfiles
    payments: FakePayments
    desk: FakeDesk
    customer: CustomerRef
    service: RefundNewsService
    worker: Worker
    clicks: int = 0

    async def drain(self) -> None:
        await self.core.engine.drain(self.worker)
        assert self.core.engine.errors == []

    async def pass_days(self, days: float) -> None:
        """Let time pass, with a sweep now and then, as there is."""
        for _ in range(round(days * 24)):
            self.core.clock.advance(3600)
            await sweep(self.core.books, self.core.waker, self.core.clock.new_id("sweep"))
            await self.drain()

    def becomes(self, **changes: Any) -> None:
        """Ana's refund, as the provider has it from now on."""
        given: dict[str, Any] = {"at": START - timedelta(days=1), "customer": self.customer} | changes
        self.payments.add(refund(REFUND, **given))

    async def case(self) -> Case:
        return await self.core.cases.get("case_ana")

    async def click(self, action: str, value: str = REFUND, *, user: str = ANA, home: bool = False) -> str:
        """Ana presses a button, and what follows is carried out; the outcome."""
        self.clicks += 1
        click = Click(action, value, None if home else "1.0")
        incoming = a_message(
            "", team=TEAM, channel=ANA if home else DM, user=user, kind=Kind.ACTION, ts=f"{self.clicks}.0", click=click
        )
        changes = await self.service.click(incoming, click, None if home else await self.case())
        await self.core.waker.wake(await self.core.cases.apply(changes))
        await self.drain()
        return changes.outcome

    async def open(self) -> RefundNews | None:
        return await self.news.of_refund(TEAM, ANA, REFUND)

    def said(self) -> list[Reply]:
        """What Ana was told, but for hints."""
        posts = self.core.messenger.posts
        return [one.content for one in posts if one.to.channel == DM and isinstance(one.content, Reply)]

    def inside(self) -> list[str]:
        """What specialists were told."""
        posts = self.core.messenger.posts
        return [str(one.content.text) for one in posts if one.to.channel == DESK and isinstance(one.content, Note)]

    async def looked(self) -> list[tuple[str, str, int]]:
        return [(row.rule, row.outcome, row.count) async for row in self.audit.rows() if row.kind == "refund_news"]

    async def specialist_takes_it(self) -> None:
        changes = await self.service.not_arrived(_anas_click(), "re_other", await self.case(), _to())
        await self.core.waker.wake(await self.core.cases.apply(changes))
        await self.drain()
        assert (await self.case()).status in HUMAN_HAS_IT


def _anas_click() -> Incoming:
    return a_message("", team=TEAM, channel=DM, user=ANA, kind=Kind.ACTION)


def _to() -> Address:
    return Address(TEAM, DM)


async def _open_town(path: Path, clock: FakeClock, payments: FakePayments, profiles: FakeProfiles) -> Town:
    url = URL.create("sqlite+aiosqlite", database=str(path))
    await asyncio.to_thread(database.migrate, url)
    sql = database.connect(url)
    core = make_core(sql, clock)
    core.directory.add(ANA, "Ana")
    codes, audit, desk = SqlCodes(sql), SqlAudit(sql), FakeDesk()
    identity = Identity(
        links=SqlLinks(sql),
        codes=codes,
        profiles=profiles,
        directory=core.directory,
        payments=payments,
        mail=FakeMail(),
        clock=clock,
        key=await identity_key(codes),
        home=TEAM,
        rule=IdentityRule.EMAIL,
    )
    news = SqlNews(sql)
    reading = RefundReading(identity, payments, profiles, audit, clock)
    service = RefundNewsService(news, core.cases, reading, desk, clock, core.waker, core.speaking)
    delivery = replace(core.delivery, news=news)
    worker = replace(core.worker, news=service, delivery=delivery)
    customer = CustomerRef(Provider.STRIPE, "cus_ana1")
    return Town(core, news, audit, profiles, payments, desk, customer, service, worker)


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    payments, profiles = FakePayments(), FakeProfiles(TEAM).add(ANA, "ana@example.com")
    payments.know("cus_ana1", "ana@example.com")
    made = await _open_town(tmp_path / "h.db", FakeClock(), payments, profiles)
    asked = Line(Speaker.CUSTOMER, ANA, redacted("where is my refund?"), "1.0", START)
    case = Case("case_ana", f"{TEAM}:{DM}:1.0", TEAM, DM, Place.DM, None, ANA, Status.OPEN, None, 0, "1.0")
    case = replace(case, answered=("refund",))
    await made.core.cases.apply(Changes(cases=(case,), lines=(Spoken(case.id, asked),)))
    payments.add(payment("ch_1", at=START - timedelta(days=9), customer=made.customer))
    made.becomes(state=RefundState.PENDING)
    yield made
    await made.core.sql.dispose()


# ---- asking ----------------------------------------------------------------------------------------------------


async def test_who_asks_is_told_until_when_and_how_to_stop_it(town: Town) -> None:
    assert await town.click(buttons.NEWS) == "news: started"

    (reply,) = town.said()
    assert "US$49.00" in reply.text
    assert "16 April 2026" in reply.text
    assert (reply.offers, reply.about, reply.private) == ((Offer.NEWS_STOP,), REFUND, True)
    news = await town.open()
    assert news is not None
    assert (news.customer, news.tick, news.ends_at) == (town.customer, 1, START + NEWS_LASTS)
    (line,) = [one for one in await town.core.cases.lines("case_ana") if one.facts]
    assert line.speaker is Speaker.BOT
    assert await town.looked() == [("email", "nothing", 1)]


async def test_asking_twice_makes_one(town: Town) -> None:
    await town.click(buttons.NEWS)
    assert await town.click(buttons.NEWS) == "news: looked after already"

    assert [reply.text for reply in town.said()][1:] == [news_words.ALREADY]
    assert len(await town.news.of_person(TEAM, ANA)) == 1


async def test_two_who_ask_at_once_make_one(town: Town) -> None:
    made = [
        await town.service.start(await town.case(), _to(), ANA, REFUND, "refund"),
        await town.service.start(await town.case(), _to(), ANA, REFUND, "refund"),
    ]
    await town.core.cases.apply(made[0])
    with pytest.raises(Conflict):
        await town.core.cases.apply(made[1])
    assert len(await town.news.of_person(TEAM, ANA)) == 1


@pytest.mark.parametrize("whose", ["somebody else's", "nobody's", "hers, who is nobody's customer"])
async def test_a_refund_that_is_not_theirs_is_not_looked_after_and_says_the_same_words(town: Town, whose: str) -> None:
    if whose == "somebody else's":
        town.payments.know("cus_eve", "eve@example.com")
        town.payments.add(refund("re_eve", at=START, customer=CustomerRef(Provider.STRIPE, "cus_eve")))
    if whose == "hers, who is nobody's customer":
        town.profiles.change(ANA, confirmed=False)
    wanted = REFUND if "hers" in whose else "re_eve"

    assert await town.click(buttons.NEWS, wanted) == "news: not started"
    assert [reply.text for reply in town.said()] == [news_words.NOT_THEIRS]
    assert await town.news.of_person(TEAM, ANA) == ()


async def test_when_the_provider_is_down_they_are_asked_to_press_again(town: Town) -> None:
    town.payments.down = True
    assert await town.click(buttons.NEWS) == "news: not started"

    assert [reply.text for reply in town.said()] == [news_words.NOT_NOW]
    assert await town.open() is None
    assert await town.looked() == [("none", "unavailable", 0)]


async def test_what_has_failed_by_then_is_said_and_not_looked_after(town: Town) -> None:
    town.becomes(state=RefundState.FAILED, failure="declined")
    assert await town.click(buttons.NEWS) == "news: failed"

    (reply,) = town.said()
    assert "it failed" in reply.text
    assert await town.open() is None


async def test_other_peoples_buttons_and_buttons_in_channels_do_nothing(town: Town) -> None:
    assert await town.click(buttons.NEWS, user="U1EVE") == "ignored: not their buttons"
    case = replace(await town.case(), place=Place.CHANNEL)
    click = Click(buttons.NEWS, REFUND, "1.0")
    changes = await town.service.click(_anas_click(), click, case)
    assert changes.outcome == "ignored: not a direct conversation"
    assert await town.open() is None


# ---- news ------------------------------------------------------------------------------------------------------


async def test_each_piece_of_news_is_told_once_and_then_they_are_asked(town: Town) -> None:
    await town.click(buttons.NEWS)
    await town.pass_days(1)
    town.becomes()
    await town.pass_days(2)
    town.becomes(trace=TRACE)
    await town.pass_days(20)

    moved, traced, asked = town.said()[1:]
    assert "handed to your bank" in moved.text
    assert moved.offers == (Offer.SPECIALIST,)
    assert TRACE in traced.text
    assert "Has it arrived?" in asked.text
    assert (asked.offers, asked.about) == ((Offer.ARRIVED,), REFUND)
    assert all(reply.private for reply in town.said())
    assert all("US$49.00" in reply.text for reply in town.said())


async def test_45_days_later_it_ends_and_costs_a_few_requests_a_day(town: Town) -> None:
    await town.click(buttons.NEWS)
    await town.pass_days(50)

    assert [str(reply.text) for reply in town.said()[1:]] == [str(news_words.EXPIRED)]
    assert await town.open() is None
    asked = [method for method, _ in town.payments.asked]
    assert asked.count("refunds") <= 2 * 34 + 2
    assert asked.count("payments") == 0
    outcomes = {outcome for _, outcome, _ in await town.looked()}
    assert outcomes == {"nothing"}


@pytest.mark.parametrize("state", [RefundState.FAILED, RefundState.CANCELLED])
async def test_the_end_of_a_refund_is_told_and_nobody_looks_again(town: Town, state: RefundState) -> None:
    town.becomes()
    await town.click(buttons.NEWS)
    town.becomes(state=state)
    await town.pass_days(2)
    asked = len(town.payments.asked)
    await town.pass_days(5)

    (told,) = town.said()[1:]
    assert ("it came back" if state is RefundState.FAILED else "it was cancelled") in told.text
    assert len(town.payments.asked) == asked
    assert await town.open() is None


async def test_a_tick_too_many_changes_nothing(town: Town) -> None:
    await town.click(buttons.NEWS)
    town.becomes()
    await town.pass_days(1)
    told, asked = len(town.said()), len(town.payments.asked)

    news = await town.open()
    assert news is not None
    for subject in ("news_1:1", news.subject, f"{news.id}:99", news.id, "", "T1:D1:1.0:message"):
        await town.worker.run(WakeKind.NEWS, "news:x", subject)
    await town.drain()
    assert (len(town.said()), len(town.payments.asked)) == (told, asked)


async def test_ticks_at_once_tell_once(town: Town) -> None:
    await town.click(buttons.NEWS)
    town.becomes()
    news = await town.open()
    assert news is not None
    town.core.clock.advance((news.due_at - town.core.clock.now()).total_seconds())
    await asyncio.gather(*(town.service.tick(news.subject) for _ in range(5)))
    await town.drain()

    assert len(town.said()) == 2


# ---- when nobody answers ---------------------------------------------------------------------------------------


async def test_an_outage_loses_no_news_and_says_nothing(town: Town) -> None:
    await town.click(buttons.NEWS)
    town.becomes()
    town.payments.down = True
    await town.pass_days(3)
    assert len(town.said()) == 1
    asked = len(town.payments.asked)
    assert asked <= 2 + 3 * 24

    town.payments.down = False
    await town.pass_days(0.1)
    assert "handed to your bank" in town.said()[-1].text


async def test_slack_being_away_counts_as_well(town: Town) -> None:
    await town.click(buttons.NEWS)
    town.becomes()
    town.profiles.down = True
    await town.pass_days(2)
    assert len(town.said()) == 1

    town.profiles.down = False
    await town.pass_days(0.1)
    assert len(town.said()) == 2


async def test_a_list_that_was_cut_is_no_proof_that_it_is_gone(town: Town) -> None:
    await town.click(buttons.NEWS)
    town.payments.complete = False
    town.payments.add(refund(REFUND, at=START, customer=CustomerRef(Provider.STRIPE, "cus_else")))
    await town.pass_days(2)
    assert len(town.said()) == 1
    assert await town.open() is not None

    town.payments.complete = True
    await town.pass_days(2)
    assert town.said()[-1].text == news_words.LOST


# ---- whose it is now -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [{"email": "new@example.com"}, {"member": False}, {"team": "T9ELSE"}, {"confirmed": False}],
    ids=["the e-mail", "a guest", "another company", "not confirmed"],
)
async def test_who_is_no_longer_the_customer_hears_nothing_of_the_money(town: Town, changed: dict[str, Any]) -> None:
    await town.click(buttons.NEWS)
    town.profiles.change(ANA, **changed)
    town.becomes(state=RefundState.FAILED)
    await town.pass_days(3)

    (told,) = town.said()[1:]
    assert told.text == news_words.LOST
    assert told.offers == (Offer.SPECIALIST,)
    assert await town.open() is None
    assert [asked for asked in town.payments.asked if asked[0] == "payments"] == []
    assert (await town.looked())[-1] == ("none", "unproven", 0)


# ---- a specialist has it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("private", [True, False])
async def test_while_a_specialist_has_it_the_news_goes_to_them(town: Town, private: bool) -> None:
    await town.click(buttons.NEWS)
    town.desk.fit = private
    await town.specialist_takes_it()
    town.becomes(state=RefundState.FAILED)
    town.payments.add(dispute("dp_1", payment="ch_1", customer=town.customer))
    said, inside = len(town.said()), len(town.inside())
    await town.pass_days(2)

    assert len(town.said()) == said
    (note,) = town.inside()[inside:]
    assert ("49.00 USD" in note) is private
    assert ("Do not refund: dispute dp_1 open" in note) is private
    assert (note == news_words.WITHHELD) is not private
    (post,) = [one for one in town.core.messenger.posts if isinstance(one.content, Note) and one.content.text == note]
    assert post.to.thread_ts is not None


# ---- has it arrived --------------------------------------------------------------------------------------------


async def _asked(town: Town) -> None:
    town.becomes()
    await town.click(buttons.NEWS)
    await town.pass_days(16)
    assert "Has it arrived?" in town.said()[-1].text


async def test_yes_ends_it(town: Town) -> None:
    await _asked(town)
    assert await town.click(buttons.ARRIVED) == "news: arrived"

    assert await town.open() is None
    assert [str(hint.text) for hint in _hints(town)] == [str(news_words.ARRIVED)]
    assert (await town.case()).status is Status.OPEN


async def test_no_hands_over_to_a_person_with_how_the_refund_is(town: Town) -> None:
    await _asked(town)
    await town.click(buttons.NOT_ARRIVED)

    assert await town.open() is None
    handoff = await town.core.cases.open_handoff("case_ana")
    assert handoff is not None
    assert (handoff.reason, handoff.topic) == (Reason.REFUND_MISSING, "refund")
    assert handoff.question == news_words.HAS_NOT_ARRIVED
    lines = await town.core.cases.lines("case_ana")
    assert any("49.00 USD" in fact for fact in lines[-1].facts)

    outcome = await town.click(buttons.NOT_ARRIVED)
    assert outcome == "news: not arrived, a person has it"
    assert len(_cards(town)) == 1


async def test_no_hands_over_when_nobody_can_look_either(town: Town) -> None:
    await _asked(town)
    town.payments.down = True
    await town.click(buttons.NOT_ARRIVED)

    assert len(_cards(town)) == 1
    assert await town.open() is None


async def test_no_goes_to_the_specialist_who_has_it_already(town: Town) -> None:
    await _asked(town)
    await town.specialist_takes_it()
    await town.click(buttons.NOT_ARRIVED)

    assert town.inside()[-1] == f"Customer: {news_words.HAS_NOT_ARRIVED}"
    assert len(_cards(town)) == 1
    assert await town.open() is None


# ---- stopping --------------------------------------------------------------------------------------------------


async def test_it_can_be_stopped_beside_the_reply(town: Town) -> None:
    await town.click(buttons.NEWS)
    assert await town.click(buttons.NEWS_STOP) == "news: stopped"
    assert await town.click(buttons.NEWS_STOP) == "ignored: nobody looked any more"

    town.becomes(state=RefundState.FAILED)
    await town.pass_days(3)
    assert len(town.said()) == 1
    assert [str(hint.text) for hint in _hints(town)] == [str(news_words.STOPPED), str(news_words.STOPPED_ALREADY)]


async def test_it_is_shown_on_the_home_tab_and_can_be_stopped_there(town: Town) -> None:
    await town.click(buttons.NEWS)

    async def home(user: str = ANA) -> Home:
        core = town.core
        return await build_home(TEAM, user, core.cases, core.knowledge, core.directory, town.news)

    (shown,) = (await home()).news
    assert shown.refund == REFUND
    assert shown.label == "US$49.00, created on 1 March 2026"
    assert (await home(MIRA)).news == ()

    assert await town.click(f"{buttons.NEWS_STOP}:{REFUND}", home=True) == "news: stopped"
    assert (await home()).news == ()
    assert town.core.messenger.homes[-1][1].news == ()


async def test_nobody_stops_or_ends_what_is_somebody_elses(town: Town) -> None:
    await town.click(buttons.NEWS)
    await town.click(buttons.NEWS_STOP, user="U1EVE")
    await town.click(f"{buttons.NEWS_STOP}:{REFUND}", user="U1EVE", home=True)
    await town.click(buttons.ARRIVED, user="U1EVE")

    assert await town.open() is not None


# ---- restarts --------------------------------------------------------------------------------------------------


async def test_what_fell_due_while_nothing_ran_is_told_once_after_the_start(town: Town, tmp_path: Path) -> None:
    await town.click(buttons.NEWS)
    town.becomes()
    town.core.clock.advance(4 * DAY)

    clock = FakeClock(town.core.clock.now())
    again = await _open_town(tmp_path / "h.db", clock, town.payments, town.profiles)
    await sweep(again.core.books, again.core.waker, "start")
    await sweep(again.core.books, again.core.waker, "tick")
    await again.drain()
    assert ["handed to your bank" in reply.text for reply in again.said()] == [True]
    await again.core.sql.dispose()


async def test_without_look_ups_who_waits_goes_on_waiting(town: Town) -> None:
    await town.click(buttons.NEWS)
    news = await town.open()
    assert news is not None
    town.core.clock.advance(4 * DAY)

    await town.core.worker.run(WakeKind.NEWS, news.lane, news.subject)
    assert await town.open() == news


async def test_a_look_that_breaks_is_looked_at_again(town: Town) -> None:
    await town.click(buttons.NEWS)
    town.becomes()
    broken = replace(town.worker, news=replace(town.service, reading=None))  # type: ignore[arg-type]
    news = await town.open()
    assert news is not None
    town.core.clock.advance(4 * DAY)
    await broken.run(WakeKind.NEWS, news.lane, news.subject)
    assert await town.open() == news

    await sweep(town.core.books, town.core.waker, "tick")
    await town.drain()
    assert len(town.said()) == 2


def _hints(town: Town) -> list[Reply]:
    return [hint.reply for hint in town.core.messenger.hints]


def _cards(town: Town) -> list[Any]:
    return [one for one in town.core.messenger.posts if one.to.channel == DESK and not isinstance(one.content, Note)]
