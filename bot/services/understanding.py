"""From a question to a decision: rules first, then its language, then routing; in the light of what was said before."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.articles import Action, Priority
from bot.domain.cases import Reason
from bot.domain.phrases import declines_person, picks
from bot.domain.policy import (
    PERSON_ARTICLE,
    UNSURE_TOPIC,
    Answer,
    Chat,
    Clarify,
    Decision,
    Escalate,
    Foreign,
    Repeat,
    by_rule,
    decide,
    from_article,
    together,
)
from bot.domain.questions import may_follow_up, questions_in
from bot.domain.redaction import Redacted, redacted
from bot.domain.replies import Choice, Line, Speaker
from bot.domain.routing import Band, Routing
from bot.errors import Unavailable
from bot.ports import Knowledge
from bot.services import words

log = logging.getLogger(__name__)

FEWEST_WORDS = 4
MOST_TIMES = 2
"""How often in a row one article is said: whoever asks again is not helped by it."""
_REMOVED = re.compile(r"\[[^\]\n]{1,60} removed\]")


@dataclass(frozen=True, slots=True)
class Understood:
    """A decision with the routing that it rests on; `routing` is None when nothing could be asked."""

    decision: Decision
    routing: Routing | None
    by_rule: bool


@dataclass(frozen=True, slots=True)
class Before:
    """What was said in a conversation just before a message.

    `question`: the customer's last words, None at the start. `said`: the articles, with the section that was quoted
    or cited, that the bot's last reply rested on, and those before it as long as they rested on the same. `choices`:
    what that reply let choose. `told_language`: it said that we read English. `looked`: it told of the customer's own
    payments. `unsure` counts unsure turns in a row.
    """

    question: Redacted | None = None
    said: tuple[tuple[str, str | None], ...] = ()
    choices: tuple[Choice, ...] = ()
    told_language: bool = False
    looked: bool = False
    unsure: int = 0


NOTHING = Before()


def before(lines: Sequence[Line], unsure: int) -> Before:
    """What a transcript says of the turn just before."""
    at = next((index for index in range(len(lines) - 1, -1, -1) if lines[index].speaker is Speaker.BOT), None)
    if at is None:
        return Before(unsure=unsure)
    asked: list[str] = []
    for line in reversed(lines[:at]):
        if line.speaker is not Speaker.CUSTOMER:
            break
        asked.append(str(line.text))
    return Before(
        question=redacted("\n".join(reversed(asked))) if asked else None,
        said=_said(lines[: at + 1]),
        choices=lines[at].choices,
        told_language=lines[at].text.endswith(words.READS_ENGLISH),
        looked=bool(lines[at].facts),
        unsure=unsure,
    )


def _said(lines: Sequence[Line]) -> tuple[tuple[str, str | None], ...]:
    replies = [line.citations for line in reversed(lines) if line.speaker is Speaker.BOT]
    said = list(replies[0])
    for citations in replies[1:]:
        if not {one.article for one in citations} & {one.article for one in replies[0]}:
            break
        said += citations
    return tuple((one.article, one.heading) for one in said)


async def understand(
    question: Redacted, knowledge: Knowledge, said: Before = NOTHING, *, route_always: bool = False
) -> Understood:
    """Decide on one message. `route_always` fills the candidates even where a rule decides, for the command line."""
    knowledge = knowledge.frozen()
    rule = by_rule(question, knowledge.publication)
    if rule is not None and not route_always:
        return Understood(rule, None, by_rule=True)
    try:
        routing = await knowledge.route(question)
        if rule is not None:
            return Understood(rule, routing, by_rule=True)
        return await _routed(question, routing, knowledge, said)
    except Unavailable as error:
        log.warning("routing is unavailable: %s", error.edge)
        down = Escalate(Reason.EDGE_DOWN, UNSURE_TOPIC, Priority.NORMAL)
        return Understood(rule or down, None, by_rule=rule is not None)


async def _routed(question: Redacted, alone: Routing, knowledge: Knowledge, said: Before) -> Understood:
    picked = _picked(question, knowledge, said)
    if picked is not None:
        return picked
    language = knowledge.language(question)
    if language is not None and alone.band is not Band.HIGH:
        if said.told_language:
            return Understood(Escalate(Reason.UNSURE_TWICE, UNSURE_TOPIC), alone, by_rule=False)
        return Understood(Foreign(language), alone, by_rule=False)
    routing = await _in_context(question, alone, knowledge, said)
    if declines_person(question):
        routing = _without_person(routing)
    whole = decide(routing, knowledge.publication, said.unsure)
    several = await _several(question, whole, knowledge)
    return Understood(_not_again(several or whole, routing, said), routing, by_rule=False)


def _picked(question: Redacted, knowledge: Knowledge, said: Before) -> Understood | None:
    """What "the second one" means after "Did you mean"."""
    place = picks(question) if said.choices else None
    if place is None or place >= len(said.choices):
        return None
    revision = knowledge.revision(said.choices[place].article)
    return None if revision is None else Understood(from_article(revision, None), None, by_rule=True)


async def _in_context(question: Redacted, alone: Routing, knowledge: Knowledge, said: Before) -> Routing:
    """The routing of a message in its conversation: what leans on the words before is read together with them."""
    if said.question is None or alone.band is Band.HIGH or not (may_follow_up(question) or said.choices):
        return alone
    joined = await knowledge.route(redacted(f"{said.question}\n{question}"))
    if joined.band is not Band.HIGH:
        return alone
    # The words before weigh more than the few that follow them: they alone are no reason to stay with their topic.
    first = joined.candidates[0].article
    stays = first in {name for name, _ in said.said}
    return alone if stays and alone.band is Band.MIDDLE and alone.candidates[0].article != first else joined


async def _several(question: Redacted, whole: Decision, knowledge: Knowledge) -> Decision | None:
    """The decision on a message that holds several questions, None when it is one or they cannot be told apart."""
    asked = questions_in(question)
    if not asked or (isinstance(whole, Escalate) and whole.revision is not None):
        return None
    sure: list[Decision] = []
    unsure = 0
    for one in asked:
        routing = await knowledge.route(redacted(one))
        if routing.band is Band.HIGH:
            sure.append(decide(routing, knowledge.publication, 0))
        elif not isinstance(by_rule(one, knowledge.publication), Chat):
            unsure += 1
    return together(sure, whole, rest=unsure > 0)


def _not_again(decision: Decision, routing: Routing, said: Before) -> Decision:
    """What was said just before is not said again: its best other section is, or that there is no more."""
    if not isinstance(decision, Answer) or decision.further:
        return decision
    article = decision.revision.article
    if article.id not in {name for name, _ in said.said}:
        return decision
    if said.looked and article.action is Action.LOOKUP:
        # Another look at the records, perhaps at another payment, is no repetition.
        return decision
    sections = routing.sections if routing.candidates[0].article == article.id else ()
    unsaid = next((heading for heading in sections if (article.id, heading) not in said.said), None)
    times = sum(1 for name, _ in said.said if name == article.id)
    if unsaid is None or times >= MOST_TIMES:
        return Repeat(decision.revision)
    return replace(decision, heading=unsaid, quoted=True)


def _without_person(routing: Routing) -> Routing:
    """The routing of somebody who does not want a human: that article is not what they ask for."""
    left = tuple(candidate for candidate in routing.candidates if candidate.article != PERSON_ARTICLE)
    if len(left) == len(routing.candidates) or routing.candidates[0].article != PERSON_ARTICLE:
        return replace(routing, candidates=left)
    return replace(routing, candidates=left, band=Band.MIDDLE if left else Band.LOW, heading=None)


def is_sure(understood: Understood) -> bool:
    """Whether the decision may be spoken where nobody asked the bot."""
    return understood.routing is not None and understood.routing.band is Band.HIGH


def may_be_unfinished(decision: Decision) -> bool:
    """Whether to wait a moment for more words: what could only be greeted, asked back or handed over unsure."""
    match decision:
        case Chat():
            return decision.talk.opens
        case Clarify() | Foreign() | Repeat():
            return True
        case Escalate(reason=reason):
            return reason in (Reason.UNSURE, Reason.UNSURE_TWICE)
        case _:
            return False


def only_removed(text: Redacted) -> bool:
    """Whether a message says too little besides what was removed from it ("my card is …") to be a question."""
    left = _REMOVED.sub(" ", text)
    return left != text and len(re.findall(r"\w+", left)) < FEWEST_WORDS
