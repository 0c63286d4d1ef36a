"""From a decision to what is said and changed: replies, handoffs, cards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.domain.articles import Citation
from bot.domain.cases import Case, Handoff, Reason, Status
from bot.domain.findings import Nothing, RefundFound
from bot.domain.findings_refunds import RefundStage
from bot.domain.incoming import Place
from bot.domain.lookups import Lookup
from bot.domain.outbox import Changes, Post, Say, ShowCard, Spoken
from bot.domain.policy import Answer, Chat, Clarify, Decision, Escalate, Foreign, Repeat, citation
from bot.domain.redaction import Redacted, redacted
from bot.domain.replies import Address, Line, Note, Offer, Reply, Speaker
from bot.errors import Unavailable
from bot.ports import Cases, Clock
from bot.services import words
from bot.services.disclosing import Disclosing
from bot.services.lookups import Shown, Unproven
from bot.services.outside_words import quoted

_SAID_BEFORE = {
    Reason.ASKED: words.CALLED_FOR_PERSON,
    Reason.DISTRESS: words.DISTRESS,
    Reason.LEGAL: words.LEGAL,
    Reason.UNSURE: words.NO_ARTICLE,
    Reason.UNSURE_TWICE: words.NO_ARTICLE,
    Reason.NOT_HELPFUL: words.NOT_HELPFUL,
    Reason.LATE: words.LATE,
    Reason.FILE: words.FILE_ONLY,
    Reason.NO_PLACE: words.NO_PLACE,
    Reason.REFUND_MISSING: words.REFUND_MISSING,
}
_MAY_BRING_NEWS = frozenset({RefundStage.PENDING, RefundStage.NEEDS_ACTION, RefundStage.WITH_BANK})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the bot is about to answer. `lines` are the customer's lines to keep, none when they are kept already."""

    case: Case
    to: Address
    question: Redacted
    done: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    notice: Redacted | None = None


@dataclass(frozen=True, slots=True)
class Speaking:
    """Makes the changes that a decision means."""

    cases: Cases
    clock: Clock
    bot_user: str
    specialist_channel: str
    disclosing: Disclosing | None = None
    """None: there is nowhere to look anything up, and articles about look-ups give their policy part."""
    tells_news: bool = False
    """Whether customers can be told of news of their refunds."""

    async def carry_out(self, asked: Asked, decision: Decision) -> Changes:
        """All that one decision changes, as one unit of work."""
        match decision:
            case Answer():
                return await self._answer(asked, decision)
            case Clarify(choices=choices):
                return self._unsure(asked, Reply(words.DID_YOU_MEAN, choices=choices), "asked back")
            case Chat(talk=talk):
                return self.say(asked, Reply(words.small_talk(talk), notice=asked.notice), f"small talk: {talk}")
            case Repeat(revision=revision):
                return self._unsure(asked, Reply(words.SAID_ALREADY), f"said already: {revision.article.id}")
            case Foreign(language=language):
                return self._unsure(asked, Reply(words.english_only(language)), f"another language: {language}")
            case Escalate():
                return await self._escalate(asked, decision)

    def say(self, asked: Asked, reply: Reply, outcome: str) -> Changes:
        """Say something that changes nothing but the conversation."""
        return self._changes(asked, replace(asked.case, spoken=True), outcome, self._reply(asked, reply))

    async def _answer(self, asked: Asked, decision: Answer) -> Changes:
        part = self.disclosing.part_of(decision, asked.case) if self.disclosing is not None else None
        return self._policy(asked, decision) if part is None else await self.look_up(asked, decision, part)

    def _policy(self, asked: Asked, decision: Answer, unproven: Unproven | None = None) -> Changes:
        """What the articles say; to whom nobody knows as a customer also how that is mended."""
        text, citations = answer_words(decision)
        offers: tuple[Offer, ...] = (Offer.FEEDBACK, Offer.SPECIALIST)
        if unproven is not None:
            text = redacted(f"{text}\n\n{words.NOT_PROVEN if unproven.can_prove else words.NOT_LINKED}")
            offers = (Offer.PROVE, Offer.SPECIALIST) if unproven.can_prove else (Offer.SPECIALIST,)
        reply = Reply(text, notice=asked.notice, citations=citations, offers=offers)
        outcome = "answered" if unproven is None else "not proven"
        return self._changes(
            asked, _answered(asked.case, decision), _named(outcome, decision), self._reply(asked, reply)
        )

    # ---- what a look-up gives ----------------------------------------------------------------------------------

    async def look_up(self, asked: Asked, decision: Answer, part: Answer, pick: str | None = None) -> Changes:
        """An answer whose `part` a look-up gives, to its customer alone. `pick`: what they picked from several."""
        article, case = part.revision.article, asked.case
        handed = Escalate(Reason.EDGE_DOWN, article.id, article.priority, part.revision)
        if self.disclosing is None or article.lookup is None:
            return self._policy(asked, decision)
        try:
            apart = await self._apart(asked)
            if apart is None:
                return await self._escalate(asked, replace(handed, reason=Reason.NO_PLACE, revision=None))
            wanted = Lookup(article.lookup)
            found = await self.disclosing.lookups.look(wanted, case.team, case.customer, asked.question, pick)
        except Unavailable:
            return await self._escalate(asked, handed)
        if isinstance(found, Unproven):
            return self._policy(asked, decision, found)
        there = await self._shown(apart, decision, part, found)
        if apart is asked:
            return there
        stub = Reply(words.LOOK_IN_DM, notice=asked.notice)
        here = self._changes(asked, _answered(case, decision), there.outcome, self._reply(asked, stub))
        return replace(
            there,
            done=here.done,
            cases=(*here.cases, *there.cases),
            lines=(*here.lines, *there.lines),
            posts=(*here.posts, *there.posts),
        )

    async def _apart(self, asked: Asked) -> Asked | None:
        """The same question where its answer may be read: as it is in a direct conversation, else moved to it."""
        if asked.case.place is Place.DM:
            return asked
        private = await self.disclosing.private(asked.case) if self.disclosing is not None else None
        if private is None:
            return None
        line = Line(Speaker.CUSTOMER, asked.case.customer, asked.question, None, self.clock.now())
        notice = words.asked_elsewhere(quoted(asked.question))
        return Asked(private.case, private.to, asked.question, lines=(line,), notice=notice)

    async def _shown(self, asked: Asked, decision: Answer, part: Answer, found: Shown) -> Changes:
        several = bool(decision.further)
        texts = [
            _titled(one, str(found.said.text), several) if one is part else _part_words(one, titled=several)
            for one in decision.parts
        ]
        if decision.rest:
            texts.append(str(words.REST))
        about = _awaited(found) if self.tells_news else ""
        reply = Reply(
            redacted("\n\n".join(texts)),
            notice=asked.notice,
            citations=tuple(citation(one.revision, None if one is part else one.heading) for one in decision.parts),
            offers=_offers(found, about),
            table=found.said.table,
            options=found.said.options,
            pick=part.revision.article.id,
            about=about,
            private=True,
        )
        if found.said.hands_over:
            article = part.revision.article
            return await self._hand_over(
                asked, Escalate(Reason.CHECK, article.id, article.priority), reply, found.lines
            )
        post = self._reply(asked, reply, found.lines)
        return self._changes(asked, _answered(asked.case, decision), _named("looked up", decision), post)

    def _unsure(self, asked: Asked, reply: Reply, outcome: str) -> Changes:
        """Say something that is no answer, and offer a person. The second time in a row one is called."""
        offered = replace(reply, notice=asked.notice, offers=(Offer.SPECIALIST,))
        case = replace(asked.case, spoken=True, status=Status.OPEN, unsure=asked.case.unsure + 1)
        return self._changes(asked, case, outcome, self._reply(asked, offered))

    async def _escalate(self, asked: Asked, decision: Escalate) -> Changes:
        return await self._hand_over(asked, decision, handoff_words(decision, asked.notice))

    async def _hand_over(
        self, asked: Asked, decision: Escalate, said: Reply, facts: tuple[Redacted, ...] = ()
    ) -> Changes:
        """Call a person; `said` is what the customer reads of it, `facts` what a look-up found."""
        # Joining one in a public place would have a private question answered there.
        existing = await self.cases.open_handoff_on(asked.case.customer, decision.topic, asked.case.channel)
        if existing is not None:
            return self._join(asked, existing, decision, said if facts else None, facts)
        now = self.clock.now()
        handoff = Handoff(
            id=self.clock.new_id("handoff"),
            case=asked.case.id,
            customer=asked.case.customer,
            topic=decision.topic,
            question=asked.question,
            reason=decision.reason,
            priority=decision.priority,
            created_at=now,
            channel=asked.case.channel,
        )
        case = replace(asked.case, spoken=True, status=Status.WAITING, owner=None, unsure=0)
        card = Post(
            Address(asked.to.team, self.specialist_channel), ShowCard(handoff.id), case=case.id, internal_of=handoff.id
        )
        if facts:
            said = replace(said, text=redacted(f"{said.text}\n\n{words.SPECIALIST_WILL_ANSWER}"))
        reply = self._reply(asked, said, facts)
        changes = self._changes(asked, case, f"handed over: {decision.reason.name}", reply, card)
        return replace(changes, handoff=handoff)

    def _join(
        self, asked: Asked, existing: Handoff, decision: Escalate, said: Reply | None, facts: tuple[Redacted, ...]
    ) -> Changes:
        """The customer has an open handoff on this: their words go to it, and no second one is made. `said` goes before
        the word on that."""
        note = Post(
            Address(asked.to.team, self.specialist_channel),
            Say(Note(words.customer_wrote(asked.question))),
            case=existing.case,
            internal_of=existing.id,
        )
        text = words.SPECIALIST_HAS_IT_ALREADY
        if decision.revision is not None:
            text = redacted(f"{decision.revision.article.answer}\n\n{text}")
        told = Reply(text, notice=asked.notice)
        if said is not None:
            told = replace(said, text=redacted(f"{said.text}\n\n{text}"))
        reply = self._reply(asked, told, facts)
        changes = self._changes(asked, replace(asked.case, spoken=True), f"joined: {existing.id}", reply, note)
        return replace(changes, joined=existing.id)

    def _reply(self, asked: Asked, reply: Reply, facts: tuple[Redacted, ...] = ()) -> Post:
        said = reply.text if reply.notice is None else redacted(f"{reply.notice}\n\n{reply.text}")
        line = Line(Speaker.BOT, self.bot_user, said, None, self.clock.now(), reply.citations, reply.choices, facts)
        return Post(asked.to, Say(reply), case=asked.case.id, voice=True, line=line)

    def _changes(self, asked: Asked, case: Case, outcome: str, *posts: Post) -> Changes:
        lines = tuple(Spoken(case.id, line) for line in asked.lines)
        return Changes(done=asked.done, outcome=outcome, cases=(case,), lines=lines, posts=posts)


def answer_words(decision: Answer) -> tuple[Redacted, tuple[Citation, ...]]:
    """What a customer reads, and what it rests on: each article's answer with the section that fits the question, or
    that section alone where the answer was said before. Several answers stand under their titles."""
    several = bool(decision.further)
    texts = [_part_words(part, titled=several) for part in decision.parts]
    if decision.rest:
        texts.append(str(words.REST))
    return redacted("\n\n".join(texts)), tuple(citation(part.revision, part.heading) for part in decision.parts)


def _answered(case: Case, decision: Answer) -> Case:
    """The case once that was said in it."""
    named = tuple(part.revision.article.id for part in decision.parts)
    kept = tuple(known for known in case.answered if known not in named)
    return replace(case, spoken=True, status=Status.OPEN, unsure=0, answered=(*kept, *named))


def _named(outcome: str, decision: Answer) -> str:
    return f"{outcome}: {', '.join(part.revision.article.id for part in decision.parts)}"


def _awaited(found: Shown) -> str:
    """The refund that there may be news of, "" when there is none."""
    finding = found.findings.finding
    return finding.refund.id if isinstance(finding, RefundFound) and finding.stage in _MAY_BRING_NEWS else ""


def _offers(found: Shown, about: str) -> tuple[Offer, ...]:
    if found.said.hands_over:
        return ()
    if found.said.options or isinstance(found.findings.finding, Nothing):
        return (Offer.SPECIALIST,)
    news = (Offer.NEWS,) if about else ()
    return (*news, Offer.FEEDBACK, Offer.SPECIALIST)


def _titled(part: Answer, text: str, titled: bool) -> str:
    return f"**{part.revision.article.title}**\n\n{text}" if titled else text


def _part_words(part: Answer, *, titled: bool) -> str:
    article = part.revision.article
    section = next((one for one in article.sections if one.heading == part.heading), None)
    said = [f"**{article.title}**"] if titled else []
    if not (part.quoted and section is not None):
        said.append(article.answer)
    if section is not None and not titled:
        said.append(section.body if part.quoted else f"**{section.heading}**\n{section.body}")
    return "\n\n".join(said)


def handoff_words(decision: Escalate, notice: Redacted | None) -> Reply:
    """What a customer reads when a person is called: what to do now, then who answers."""
    if decision.revision is not None:
        down = f"{words.DOWN} " if decision.reason is Reason.EDGE_DOWN else ""
        text = redacted(f"{decision.revision.article.answer}\n\n{down}{words.SPECIALIST_WILL_ANSWER}")
        return Reply(text, notice=notice, citations=(citation(decision.revision, None),))
    before = _SAID_BEFORE.get(decision.reason, words.DOWN)
    return Reply(redacted(f"{before} {words.SPECIALIST_WILL_ANSWER}"), notice=notice)


def at(ts: str) -> datetime:
    """A Slack timestamp as an aware datetime, UTC."""
    return datetime.fromtimestamp(float(ts), UTC)
