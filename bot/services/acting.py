"""Clicks and submitted forms: what customers and specialists do with buttons."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from bot.domain import buttons
from bot.domain.articles import Action, Audience
from bot.domain.cases import HUMAN_HAS_IT, Case, Reason, Status
from bot.domain.incoming import Click, Incoming, Kind, Place
from bot.domain.outbox import Changes, Feedback, Hint, Post, Say, ShowHome, UpdateCard
from bot.domain.policy import Answer, Escalate, for_person, from_article
from bot.domain.redaction import Redacted, redacted
from bot.domain.replies import Address, Line, Note, Relay, Reply, Speaker
from bot.errors import Conflict, NotFound
from bot.ports import Cases, Clock, Directory, Inbox, Knowledge
from bot.services import words
from bot.services.identity import Identity, Left
from bot.services.refund_news import RefundNewsService
from bot.services.speaking import Asked, Speaking
from bot.services.turn import CONFLICTS, Turn
from bot.services.understanding import Before, understand
from bot.services.waking import Waker

log = logging.getLogger(__name__)

_LEFT: Final[Mapping[Left, Redacted]] = {
    Left.ENDED: words.LINK_LEFT,
    Left.BY_SPECIALIST: words.LINK_ENDED_BY_SPECIALIST,
    Left.EXPIRED: words.LINK_RAN_OUT,
    Left.BEFORE: words.LINK_ENDED_ALREADY,
    Left.NOT_THEIRS: words.NO_SUCH_LINK,
}


@dataclass(frozen=True, slots=True)
class Acting:
    """Carries out one click or form, once."""

    inbox: Inbox
    cases: Cases
    directory: Directory
    knowledge: Knowledge
    clock: Clock
    waker: Waker
    speaking: Speaking
    turn: Turn
    specialist_channel: str
    news: RefundNewsService | None = None
    identity: Identity | None = None

    async def run(self, key: str) -> None:
        """Carry out a stored click. Does nothing when it was carried out before. Raises Conflict."""
        for _ in range(CONFLICTS):
            row = await self.inbox.get(key)
            if row is None:
                return
            try:
                changes = await self._decide(row.incoming)
                added = await self.cases.apply(replace(changes, done=(key,)))
            except Conflict:
                continue
            log.info("%s: %s", key, changes.outcome)
            await self.waker.wake(added)
            return
        raise Conflict

    async def give_up(self, incoming: Incoming) -> None:
        """It failed again and again. A specialist's words must not vanish in silence."""
        posts: tuple[Post, ...] = ()
        if incoming.kind is Kind.VIEW and incoming.click is not None:
            person = await self.directory.person(incoming.user)
            note = Say(Note(words.reply_failed(person.name)))
            posts = (Post(self._inside(incoming.team), note, internal_of=incoming.click.value),)
        failed = Changes(done=(incoming.key,), outcome="failed", posts=posts)
        await self.waker.wake(await self.cases.apply(failed))

    async def _decide(self, incoming: Incoming) -> Changes:
        if incoming.kind is Kind.HOME:
            home = Post(Address(incoming.team, incoming.channel), ShowHome(incoming.user))
            return Changes(outcome="showed home", posts=(home,))
        click = incoming.click
        if click is None:
            return Changes(outcome="ignored: nothing was clicked")
        if incoming.kind is Kind.VIEW:
            return await self._reply(incoming, click)
        if click.action_id == buttons.DONE:
            return await self._done(incoming, click)
        if click.action_id.startswith(buttons.HOME_UNLINK):
            return await self._unlink(incoming, click)
        if click.action_id.startswith(buttons.HOME_ASK):
            return await self._ask_from_home(incoming, click)
        if click.action_id == buttons.AGAIN:
            return await self._proved(incoming, click)
        if self.news is not None and click.action_id.startswith(buttons.NEWS_OF):
            return await self.news.click(incoming, click, await self._case_of(incoming, click))
        return await self._customer_click(incoming, click)

    # ---- customers ---------------------------------------------------------------------------------------------

    async def _customer_click(self, incoming: Incoming, click: Click) -> Changes:
        case = await self._case_of(incoming, click)
        if case is None:
            return Changes(outcome="ignored: not a message of a case")
        if case.customer != incoming.user:
            return self._hint(incoming, case, words.NOT_YOURS, "ignored: not their buttons")
        if click.action_id == buttons.HELPED:
            feedback = self._feedback(incoming, click, helpful=True)
            return replace(self._hint(incoming, case, words.THANKS_FOR_FEEDBACK, "feedback: helped"), feedback=feedback)
        if click.action_id == buttons.NOT_NOW:
            hint = self._hint(incoming, case, words.NOT_NOW, "silenced")
            return replace(hint, cases=(replace(case, silenced=True),))
        thread = await self.cases.in_conversation(case.conversation)
        if case.status not in HUMAN_HAS_IT and any(other.status in HUMAN_HAS_IT for other in thread):
            return self._hint(incoming, case, words.STAND_ASIDE, "stood aside")
        if case.status in HUMAN_HAS_IT:
            told = self._hint(incoming, case, words.HANDED_OVER_ALREADY, "ignored: a person has it")
            unhelpful = click.action_id == buttons.NOT_HELPED
            return replace(told, feedback=self._feedback(incoming, click, helpful=False)) if unhelpful else told
        return await self._answer_click(incoming, click, case)

    async def _answer_click(self, incoming: Incoming, click: Click, case: Case) -> Changes:
        asked = Asked(case, _address(incoming, case), await self._last_question(case))
        if click.action_id == buttons.NOT_HELPED:
            topic = case.answered[-1] if case.answered else "unsure"
            changes = await self.speaking.carry_out(asked, Escalate(Reason.NOT_HELPFUL, topic))
            return replace(changes, feedback=self._feedback(incoming, click, helpful=False))
        if click.action_id == buttons.SPECIALIST:
            return await self.speaking.carry_out(asked, for_person(self.knowledge.publication))
        if click.action_id == buttons.SOMETHING_ELSE:
            return self.speaking.say(asked, Reply(words.SOMETHING_ELSE), "asked to rephrase")
        if click.action_id == buttons.ASK_BOT:
            understood = await understand(asked.question, self.knowledge, Before(unsure=case.unsure))
            return await self.speaking.carry_out(asked, understood.decision)
        if click.action_id.startswith(buttons.CHOOSE):
            return await self._answer_from(asked, click.value)
        if click.action_id.startswith(buttons.PICK):
            return await self._picked(asked, click)
        return Changes(outcome="ignored: an unknown button")

    async def _answer_from(self, asked: Asked, article_id: str) -> Changes:
        revision = self.knowledge.revision(article_id)
        if revision is None or revision.article.audience is not Audience.CUSTOMER:
            return self.speaking.say(asked, Reply(words.GONE), "the article is gone")
        return await self.speaking.carry_out(asked, from_article(revision, None))

    async def _picked(self, asked: Asked, click: Click) -> Changes:
        """One of several payments was picked: the look-up again, for that one. The id narrows, it never widens."""
        revision = self.knowledge.revision(click.action_id.removeprefix(buttons.PICK))
        if revision is None or revision.article.action is not Action.LOOKUP:
            return self.speaking.say(asked, Reply(words.GONE), "the article is gone")
        answer = Answer(revision, None)
        return await self.speaking.look_up(asked, answer, answer, pick=click.value)

    async def _proved(self, incoming: Incoming, click: Click) -> Changes:
        """Somebody proved whose money is theirs: what they asked is looked up now. The value says which message had the
        button: its channel and its ts."""
        channel, _, ts = click.value.partition(":")
        case = await self.cases.by_message(channel, ts)
        if case is None or case.customer != incoming.user:
            return Changes(outcome="ignored: not a message of a case of theirs")
        to = Address(case.team, case.channel, case.thread_ts)
        if case.status in HUMAN_HAS_IT:
            hint = Hint(incoming.user, Reply(words.PROVEN_ELSEWHERE))
            return Changes(outcome="ignored: a person has it", posts=(Post(to, hint, case=case.id),))
        asked = Asked(case, to, await self._last_question(case))
        topic = self.knowledge.revision(case.answered[-1]) if case.answered else None
        if topic is not None and topic.article.action is Action.LOOKUP:
            return await self.speaking.carry_out(asked, from_article(topic, None))
        understood = await understand(asked.question, self.knowledge, Before(unsure=case.unsure))
        return await self.speaking.carry_out(asked, understood.decision)

    async def _unlink(self, incoming: Incoming, click: Click) -> Changes:
        """Somebody ends a link of theirs. The Home tab shows what is left, and says what became of it."""
        if self.identity is None:
            outcome, notice = "ignored: no look-ups here", words.LOOKUPS_OFF
        else:
            left = await self.identity.leave(incoming.team, incoming.user, click.value)
            outcome, notice = f"ends a link: {left}", _LEFT[left]
        home = Post(Address(incoming.team, incoming.channel), ShowHome(incoming.user, notice))
        return Changes(outcome=outcome, posts=(home,))

    async def _ask_from_home(self, incoming: Incoming, click: Click) -> Changes:
        """A topic of the Home tab: answered in the person's direct conversation with us."""
        channel = await self.inbox.dm_of(incoming.team, incoming.user)
        revision = self.knowledge.revision(click.value)
        if channel is None or revision is None:
            return Changes(outcome="ignored: no direct conversation, or no such article")
        title = redacted(revision.article.title)
        message = replace(incoming, channel=channel, place=Place.DM, kind=Kind.MESSAGE, thread_ts=None, text=title)
        case, _ = await self.turn.locate(message)
        if case is not None and case.status in HUMAN_HAS_IT:
            # A specialist has the latest conversation; a topic from Home starts one of its own.
            case = None
        asked = self.turn.asked_from_home(message, case)
        return await self._answer_from(asked, click.value)

    async def _case_of(self, incoming: Incoming, click: Click) -> Case | None:
        found = await self.cases.by_message(incoming.channel, click.message_ts or "")
        if found is not None:
            return found
        # An ephemeral offer is no message of the transcript: its thread, or the thread it would start, names the case.
        root = incoming.thread_ts or click.value
        cases = await self.cases.in_conversation(f"{incoming.team}:{incoming.channel}:{root}")
        return next((case for case in cases if case.customer == incoming.user), cases[0] if cases else None)

    async def _last_question(self, case: Case) -> Redacted:
        lines = [line for line in await self.cases.lines(case.id) if line.speaker is Speaker.CUSTOMER]
        return lines[-1].text if lines else words.ASKED_BOT_EARLIER

    def _feedback(self, incoming: Incoming, click: Click, *, helpful: bool) -> Feedback:
        return Feedback(incoming.channel, click.message_ts or "", incoming.user, helpful)

    def _hint(self, incoming: Incoming, case: Case, text: Redacted, outcome: str) -> Changes:
        hint = Hint(incoming.user, Reply(text))
        return Changes(outcome=outcome, posts=(Post(_address(incoming, case), hint, case=case.id),))

    # ---- specialists -------------------------------------------------------------------------------------------

    async def _done(self, incoming: Incoming, click: Click) -> Changes:
        refusal = await self._staff_only(incoming)
        if refusal is not None:
            return refusal
        try:
            handoff = await self.cases.handoff(click.value)
        except NotFound:
            return Changes(outcome="ignored: no such handoff")
        if handoff.closed_at is not None:
            return self._to_specialist(incoming, words.CLOSED_ALREADY, "ignored: closed already")
        case = await self.cases.get(handoff.case)
        closed = replace(case, status=Status.RESOLVED, owner=None)
        update = Post(self._inside(case.team), UpdateCard(handoff.id), case=case.id, internal_of=handoff.id)
        said = Say(Reply(words.RESOLVED))
        line = Line(Speaker.BOT, self.speaking.bot_user, words.RESOLVED, None, self.clock.now())
        tell = Post(Address(case.team, case.channel, case.thread_ts), said, case=case.id, line=line)
        return Changes(outcome="resolved", cases=(closed,), close_handoff=handoff.id, posts=(update, tell))

    async def _reply(self, incoming: Incoming, click: Click) -> Changes:
        """A specialist's words to the customer. The first reply claims the case: the bot falls silent."""
        refusal = await self._staff_only(incoming)
        if refusal is not None:
            return refusal
        handoff = await self.cases.handoff(click.value)
        if handoff.closed_at is not None:
            return self._to_specialist(incoming, words.CLOSED_ALREADY, "not sent: closed already")
        person = await self.directory.person(incoming.user)
        case = await self.cases.get(handoff.case)
        now = f"{self.clock.now().timestamp():.6f}"
        owned = replace(case, status=Status.CLAIMED, owner=case.owner or person.id, last_ts=max(case.last_ts, now))
        inside = self._inside(case.team)
        line = Line(Speaker.SPECIALIST, person.id, incoming.text, None, self.clock.now())
        to_customer = Post(
            Address(case.team, case.channel, case.thread_ts), Say(Relay(person.name, incoming.text)), case.id, line=line
        )
        posts = (
            to_customer,
            Post(inside, UpdateCard(handoff.id), case=case.id, internal_of=handoff.id),
            Post(inside, Say(Note(words.replied(person.name))), case=case.id, internal_of=handoff.id),
            Post(inside, Say(Note(incoming.text)), case=case.id, internal_of=handoff.id),
        )
        return Changes(outcome="replied", cases=(owned,), silence=case.id, posts=posts)

    async def _staff_only(self, incoming: Incoming) -> Changes | None:
        if await self.directory.is_staff(incoming.user):
            return None
        return self._to_specialist(incoming, words.STAFF_ONLY, "refused: not a specialist")

    def _to_specialist(self, incoming: Incoming, text: Redacted, outcome: str) -> Changes:
        return Changes(outcome=outcome, posts=(Post(self._inside(incoming.team), Hint(incoming.user, Reply(text))),))

    def _inside(self, team: str) -> Address:
        return Address(team, self.specialist_channel)


def _address(incoming: Incoming, case: Case) -> Address:
    """Where the answer to a click goes: beside the message that was clicked."""
    thread = incoming.thread_ts or case.thread_ts
    return Address(incoming.team, incoming.channel, thread)
