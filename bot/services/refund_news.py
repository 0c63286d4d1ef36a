"""Telling people of a refund when there is news: asked for, looked after, told once, stopped."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from bot.domain import buttons
from bot.domain.cases import HUMAN_HAS_IT, Case, Reason, joins_at
from bot.domain.incoming import Click, Incoming, Place
from bot.domain.outbox import Changes, Hint, Post, Say, ShowHome
from bot.domain.policy import UNSURE_TOPIC, Escalate
from bot.domain.redaction import Redacted, redacted
from bot.domain.refund_news import NEWS_LASTS, Ended, Event, RefundNews, Told
from bot.domain.replies import Address, Line, Note, Offer, Reply, Speaker
from bot.errors import Conflict, Unavailable
from bot.ports import Cases, Clock, Desk, News
from bot.services import news_words as said
from bot.services import words
from bot.services.lookup_words import specialist_lines
from bot.services.refund_reading import Reading, RefundReading
from bot.services.speaking import Asked, Speaking
from bot.services.turn import CONFLICTS
from bot.services.waking import Waker
from bot.services.watching import CLOCK_SLACK
from bot.telemetry import count

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RefundNewsService:
    """Looks after refunds that people asked to be told of. Each look is a tick; every tick checks everything anew."""

    news: News
    cases: Cases
    reading: RefundReading
    desk: Desk
    clock: Clock
    waker: Waker
    speaking: Speaking

    # ---- ticks -------------------------------------------------------------------------------------------------

    async def tick(self, subject: str) -> None:
        """One look, by `RefundNews.subject`. Does nothing when it was done, stopped, or is not due. Raises Conflict."""
        news = await self._due(subject)
        if news is None:
            return
        reading = await self.reading.read(news)
        for _ in range(CONFLICTS):
            try:
                changes = await self._tell(reading)
                added = await self.cases.apply(changes)
            except Conflict:
                if await self._due(subject) is None:
                    return
                continue
            log.info("%s: %s", subject, changes.outcome)
            count("refund_news", result=changes.outcome.partition(": ")[2])
            await self.waker.wake(added)
            return
        raise Conflict

    async def _due(self, subject: str) -> RefundNews | None:
        news_id, _, _ = subject.rpartition(":")
        news = await self.news.get(news_id)
        if news is None or news.subject != subject:
            return None
        # One that comes too early is woken again by a sweep when it is due.
        return news if news.due_at - self.clock.now() <= CLOCK_SLACK else None

    async def _tell(self, reading: Reading) -> Changes:
        verdict = reading.verdict
        event, news = verdict.event, verdict.news
        if event is None:
            return Changes(outcome="news: nothing", news=news)
        case = await self._place(await self.cases.get(news.case))
        if case.status in HUMAN_HAS_IT:
            note = await self._note(case, event, reading)
            return Changes(outcome=f"news: {event}, to the specialist", news=news, posts=(note,))
        reply, facts = _words(event, reading)
        to = Address(case.team, case.channel, case.thread_ts)
        return replace(self._say(case, to, reply, facts, f"news: {event}"), news=news)

    async def _place(self, asked_in: Case) -> Case:
        """Where to tell it: where it was asked for; at the top level in the conversation that goes on there, and a
        person's comes first."""
        if asked_in.thread_ts is not None or asked_in.status in HUMAN_HAS_IT:
            return asked_in
        latest = await self.cases.latest_in_dm(asked_in.team, asked_in.channel)
        if latest is None or latest.customer != asked_in.customer:
            return asked_in
        return latest if joins_at(self._now_ts(), latest) else asked_in

    async def _note(self, case: Case, event: Event, reading: Reading) -> Post:
        """A specialist has the conversation: they are told instead, and the bot does not talk over them."""
        facts = () if reading.findings is None else specialist_lines(reading.findings)
        text = said.inside_words(event, reading.verdict.news.refund, facts)
        return await self._inside(case, text if await self._is_private() else said.WITHHELD)

    async def _inside(self, case: Case, text: Redacted) -> Post:
        handoff = await self.cases.open_handoff(case.id)
        to = Address(case.team, self.speaking.specialist_channel)
        if handoff is None:
            log.error("case %s is %s without an open handoff; telling the channel", case.id, case.status)
            return Post(to, Say(Note(text, about=case.customer)), case=case.id)
        return Post(to, Say(Note(text)), case=case.id, internal_of=handoff.id)

    async def _is_private(self) -> bool:
        try:
            return await self.desk.private()
        except Unavailable:
            log.warning("nobody can say who reads the specialists' channel: news is noted without payment details")
            return False

    # ---- clicks ------------------------------------------------------------------------------------------------

    async def click(self, incoming: Incoming, click: Click, case: Case | None) -> Changes:
        """What a button about news means. `case` is that of the message which has it, None on the Home tab."""
        if click.action_id.partition(":")[0] == buttons.NEWS_STOP:
            return await self.stop(incoming, click.value, case)
        if case is None:
            return Changes(outcome="ignored: not a message of a case")
        to = Address(case.team, incoming.channel, incoming.thread_ts or case.thread_ts)
        if case.customer != incoming.user:
            return self._hint(to, incoming, case, words.NOT_YOURS, "ignored: not their buttons")
        match click.action_id:
            case buttons.ARRIVED:
                return await self.arrived(incoming, click.value, case, to)
            case buttons.NOT_ARRIVED:
                return await self.not_arrived(incoming, click.value, case, to)
            case buttons.NEWS if case.status in HUMAN_HAS_IT:
                return self._hint(to, incoming, case, words.HANDED_OVER_ALREADY, "ignored: a person has it")
            case buttons.NEWS if case.place is not Place.DM:
                return self._hint(to, incoming, case, said.ONLY_DIRECT, "ignored: not a direct conversation")
            case buttons.NEWS:
                return await self.start(case, to, incoming.user, click.value, _topic(case))
            case _:
                return Changes(outcome="ignored: an unknown button")

    async def start(self, case: Case, to: Address, user: str, refund: str, article: str) -> Changes:
        """Look after a refund from now on, if it is theirs, and say so. `case` is in their direct conversation."""
        if await self.news.of_refund(case.team, user, refund) is not None:
            again = Reply(said.ALREADY, offers=(Offer.NEWS_STOP,), about=refund)
            return self._say(case, to, again, (), "news: looked after already")
        now = self.clock.now()
        draft = RefundNews(
            id=self.clock.new_id("news"),
            team=case.team,
            user=user,
            channel=case.channel,
            case=case.id,
            refund=refund,
            customer=None,
            article=article,
            label=redacted(""),
            told=Told(),
            tick=0,
            due_at=now,
            ends_at=now + NEWS_LASTS,
        )
        reading = await self.reading.read(draft)
        event, seen = reading.verdict.event, reading.refund
        if event is None or seen is None:
            refused = said.NOT_NOW if event is None else said.NOT_THEIRS
            return self._say(case, to, Reply(refused), (), "news: not started")
        made = replace(reading.verdict.news, label=said.label_words(seen, reading.reader))
        reply, facts = _words(event, reading)
        begun = self._say(case, to, reply, facts, f"news: {event}")
        return begun if made.ended is not None else replace(begun, news=made)

    async def stop(self, incoming: Incoming, refund: str, case: Case | None = None) -> Changes:
        """Look no more. On the Home tab the button goes away; beside a message a hint says so."""
        found = await self.news.of_refund(incoming.team, incoming.user, refund)
        news = None if found is None else replace(found, ended=Ended.STOPPED)
        outcome = "news: stopped" if found is not None else "ignored: nobody looked any more"
        if case is None:
            home = Post(Address(incoming.team, incoming.channel), ShowHome(incoming.user))
            return Changes(outcome=outcome, news=news, posts=(home,))
        to = Address(case.team, incoming.channel, incoming.thread_ts or case.thread_ts)
        text = said.STOPPED if found is not None else said.STOPPED_ALREADY
        return replace(self._hint(to, incoming, case, text, outcome), news=news)

    async def arrived(self, incoming: Incoming, refund: str, case: Case, to: Address) -> Changes:
        """It has arrived, so nobody needs to look any more."""
        found = await self.news.of_refund(case.team, incoming.user, refund)
        thanked = self._hint(to, incoming, case, said.ARRIVED, "news: arrived")
        return thanked if found is None else replace(thanked, news=replace(found, ended=Ended.ARRIVED))

    async def not_arrived(self, incoming: Incoming, refund: str, case: Case, to: Address) -> Changes:
        """It has not arrived: a person takes it, with how the refund is now."""
        found = await self.news.of_refund(case.team, incoming.user, refund)
        ended = None if found is None else replace(found, ended=Ended.MISSING)
        if case.status in HUMAN_HAS_IT:
            hint = self._hint(to, incoming, case, words.HANDED_OVER_ALREADY, "news: not arrived, a person has it")
            if found is None:
                return hint
            note = await self._inside(case, words.customer_wrote(said.HAS_NOT_ARRIVED))
            return replace(hint, news=ended, posts=(*hint.posts, note))
        line = Line(Speaker.CUSTOMER, incoming.user, said.HAS_NOT_ARRIVED, None, self.clock.now())
        asked = Asked(case, to, said.HAS_NOT_ARRIVED, lines=(line,))
        topic = found.article if found is not None else _topic(case)
        changes = await self.speaking.carry_out(asked, Escalate(Reason.REFUND_MISSING, topic))
        facts = () if found is None else await self._facts(found)
        posts = tuple(
            post if post.line is None else replace(post, line=replace(post.line, facts=facts)) for post in changes.posts
        )
        return replace(changes, news=ended, posts=posts)

    async def _facts(self, news: RefundNews) -> tuple[Redacted, ...]:
        """How the refund is now, for the specialist's card; nothing when nobody can say."""
        reading = await self.reading.read(news, whole=True)
        return () if reading.findings is None else specialist_lines(reading.findings)

    # ---- parts -------------------------------------------------------------------------------------------------

    def _say(self, case: Case, to: Address, reply: Reply, facts: tuple[Redacted, ...], outcome: str) -> Changes:
        line = Line(Speaker.BOT, self.speaking.bot_user, reply.text, None, self.clock.now(), facts=facts)
        post = Post(to, Say(reply), case=case.id, voice=True, line=line)
        spoken = replace(case, spoken=True, last_ts=max(case.last_ts, self._now_ts()))
        return Changes(outcome=outcome, cases=(spoken,), posts=(post,))

    def _hint(self, to: Address, incoming: Incoming, case: Case, text: Redacted, outcome: str) -> Changes:
        return Changes(outcome=outcome, posts=(Post(to, Hint(incoming.user, Reply(text)), case=case.id),))

    def _now_ts(self) -> str:
        return f"{self.clock.now().timestamp():.6f}"


def _topic(case: Case) -> str:
    return case.answered[-1] if case.answered else UNSURE_TOPIC


def _words(event: Event, reading: Reading) -> tuple[Reply, tuple[Redacted, ...]]:
    """What is said to the customer, and the same for specialists."""
    news, refund, findings = reading.verdict.news, reading.refund, reading.findings
    if event is Event.STARTED and refund is not None:
        text = said.started_words(refund, news.ends_at, reading.reader)
        reply = Reply(text, offers=(Offer.NEWS_STOP,), about=news.refund, private=True)
        return reply, (redacted(f"{refund.id}: the customer is told news of it until {news.ends_at:%Y-%m-%d}"),)
    if findings is not None:
        offers = (Offer.ARRIVED,) if event is Event.WINDOW_OVER else (Offer.SPECIALIST,)
        text = said.news_words(reading.verdict, findings, reading.reader)
        return Reply(text, offers=offers, about=news.refund, private=True), specialist_lines(findings)
    return Reply(said.EXPIRED if event is Event.EXPIRED else said.LOST, offers=(Offer.SPECIALIST,)), ()
