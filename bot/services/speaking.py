"""From a decision to what is said and changed: replies, handoffs, cards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.domain.articles import Citation
from bot.domain.cases import Case, Handoff, Reason, Status
from bot.domain.outbox import Changes, Post, Say, ShowCard, Spoken
from bot.domain.policy import Answer, Chat, Clarify, Decision, Escalate, Foreign, Repeat, citation
from bot.domain.redaction import Redacted, redacted
from bot.domain.replies import Address, Line, Note, Offer, Reply, Speaker
from bot.ports import Cases, Clock
from bot.services import words

_SAID_BEFORE = {
    Reason.ASKED: words.CALLED_FOR_PERSON,
    Reason.DISTRESS: words.DISTRESS,
    Reason.LEGAL: words.LEGAL,
    Reason.UNSURE: words.NO_ARTICLE,
    Reason.UNSURE_TWICE: words.NO_ARTICLE,
    Reason.NOT_HELPFUL: words.NOT_HELPFUL,
    Reason.LATE: words.LATE,
    Reason.FILE: words.FILE_ONLY,
}


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

    async def carry_out(self, asked: Asked, decision: Decision) -> Changes:
        """All that one decision changes, as one unit of work."""
        match decision:
            case Answer():
                return self._answer(asked, decision)
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

    def _answer(self, asked: Asked, decision: Answer) -> Changes:
        text, citations = answer_words(decision)
        reply = Reply(text, notice=asked.notice, citations=citations, offers=(Offer.FEEDBACK, Offer.SPECIALIST))
        named = tuple(part.revision.article.id for part in decision.parts)
        case = replace(
            asked.case,
            spoken=True,
            status=Status.OPEN,
            unsure=0,
            answered=(*(known for known in asked.case.answered if known not in named), *named),
        )
        return self._changes(asked, case, f"answered: {', '.join(named)}", self._reply(asked, reply))

    def _unsure(self, asked: Asked, reply: Reply, outcome: str) -> Changes:
        """Say something that is no answer, and offer a person. The second time in a row one is called."""
        offered = replace(reply, notice=asked.notice, offers=(Offer.SPECIALIST,))
        case = replace(asked.case, spoken=True, status=Status.OPEN, unsure=asked.case.unsure + 1)
        return self._changes(asked, case, outcome, self._reply(asked, offered))

    async def _escalate(self, asked: Asked, decision: Escalate) -> Changes:
        # Joining one in a public place would have a private question answered there.
        existing = await self.cases.open_handoff_on(asked.case.customer, decision.topic, asked.case.channel)
        if existing is not None:
            return self._join(asked, existing, decision)
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
        reply = self._reply(asked, handoff_words(decision, asked.notice))
        changes = self._changes(asked, case, f"handed over: {decision.reason.name}", reply, card)
        return replace(changes, handoff=handoff)

    def _join(self, asked: Asked, existing: Handoff, decision: Escalate) -> Changes:
        """The customer has an open handoff on this: their words go to it, and no second one is made."""
        note = Post(
            Address(asked.to.team, self.specialist_channel),
            Say(Note(words.customer_wrote(asked.question))),
            case=existing.case,
            internal_of=existing.id,
        )
        text = words.SPECIALIST_HAS_IT_ALREADY
        if decision.revision is not None:
            text = redacted(f"{decision.revision.article.answer}\n\n{text}")
        reply = self._reply(asked, Reply(text, notice=asked.notice))
        changes = self._changes(asked, replace(asked.case, spoken=True), f"joined: {existing.id}", reply, note)
        return replace(changes, joined=existing.id)

    def _reply(self, asked: Asked, reply: Reply) -> Post:
        said = reply.text if reply.notice is None else redacted(f"{reply.notice}\n\n{reply.text}")
        line = Line(Speaker.BOT, self.bot_user, said, None, self.clock.now(), reply.citations, reply.choices)
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
        text = redacted(f"{decision.revision.article.answer}\n\n{words.SPECIALIST_WILL_ANSWER}")
        return Reply(text, notice=notice, citations=(citation(decision.revision, None),))
    before = _SAID_BEFORE.get(decision.reason, words.DOWN)
    return Reply(redacted(f"{before} {words.SPECIALIST_WILL_ANSWER}"), notice=notice)


def at(ts: str) -> datetime:
    """A Slack timestamp as an aware datetime, UTC."""
    return datetime.fromtimestamp(float(ts), UTC)
