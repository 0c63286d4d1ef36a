"""What to do with a question: pure rules over its text, its routing and its case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.articles import Action, Citation, Priority, Publication, Revision
from bot.domain.cases import Reason
from bot.domain.phrases import Talk, asks_for_person, in_distress, small_talk, threatens_law
from bot.domain.replies import Choice
from bot.domain.routing import Band, Routing

MAX_CHOICES = 3
PERSON_ARTICLE = "talk-to-person"
UNSURE_TOPIC = "unsure"
LEGAL_ARTICLE = "legal-or-complaint"
DISTRESS_TOPIC = "distress"


@dataclass(frozen=True, slots=True)
class Answer:
    """Say the article's answer, citing its revision. `heading` is the section that fits the question best.

    `quoted`: say that section, whole, instead of the answer, because the answer was said just before. `further` are
    the answers to the message's other questions; `rest`: there is one that nothing fits.
    """

    revision: Revision
    heading: str | None
    quoted: bool = False
    further: tuple[Answer, ...] = ()
    rest: bool = False

    @property
    def parts(self) -> tuple[Answer, ...]:
        """This answer and the further ones, in the order of the questions."""
        return (self, *self.further)


@dataclass(frozen=True, slots=True)
class Repeat:
    """The question leads to what was said just before: say so, and offer a person."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class Foreign:
    """Say in this language (ISO 639-1) that the bot reads English only, and offer a person."""

    language: str


@dataclass(frozen=True, slots=True)
class Clarify:
    """Ask which of these was meant."""

    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Chat:
    """Answer small talk."""

    talk: Talk


@dataclass(frozen=True, slots=True)
class Escalate:
    """Call a person. `revision` is the article whose words are said first, None when there is none."""

    reason: Reason
    topic: str
    priority: Priority = Priority.NORMAL
    revision: Revision | None = None


Decision = Answer | Clarify | Chat | Escalate | Repeat | Foreign


def citation(revision: Revision, heading: str | None) -> Citation:
    """What an answer from this revision cites."""
    article = revision.article
    return Citation(article.id, article.title, revision.number, heading, article.effective_from)


def by_rule(text: str, publication: Publication) -> Decision | None:
    """What is decided without retrieval: small talk, distress, a legal threat, a request for a person."""
    talk = small_talk(text)
    if talk is not None:
        return Chat(talk)
    if in_distress(text):
        return Escalate(Reason.DISTRESS, DISTRESS_TOPIC, Priority.URGENT)
    if threatens_law(text):
        return Escalate(Reason.LEGAL, LEGAL_ARTICLE, Priority.HIGH, publication.get(LEGAL_ARTICLE))
    if asks_for_person(text):
        return for_person(publication)
    return None


def for_person(publication: Publication) -> Escalate:
    """The escalation of a customer who asked for a person."""
    revision = publication.get(PERSON_ARTICLE)
    priority = revision.article.priority if revision is not None else Priority.NORMAL
    return Escalate(Reason.ASKED, PERSON_ARTICLE, priority, revision)


def decide(routing: Routing, publication: Publication, unsure_before: int) -> Decision:
    """What a routing means. `unsure_before` counts the unsure turns just before this one in the same case."""
    best = publication.get(routing.candidates[0].article) if routing.candidates else None
    if best is not None and routing.band is Band.HIGH:
        return from_article(best, routing.heading)
    if unsure_before >= 1:
        return Escalate(Reason.UNSURE_TWICE, UNSURE_TOPIC)
    if routing.band is Band.MIDDLE:
        revisions = (publication.get(candidate.article) for candidate in routing.candidates[:MAX_CHOICES])
        choices = tuple(Choice(found.article.id, found.article.title) for found in revisions if found is not None)
        if choices:
            return Clarify(choices)
    return Escalate(Reason.UNSURE, UNSURE_TOPIC)


def from_article(revision: Revision, heading: str | None) -> Decision:
    """What the article says to do. A look-up article gives its policy part until look-ups exist."""
    article = revision.article
    if article.action is Action.HANDOFF:
        return Escalate(Reason.ARTICLE, article.id, article.priority, revision)
    return Answer(revision, heading)


def together(sure: Sequence[Decision], whole: Decision, *, rest: bool) -> Decision | None:
    """One decision over the questions of a message. `sure` are the decisions on those that could be decided alone;
    `rest`: there are others. None when `whole`, the decision on all of it, says as much.

    A topic that a person must take goes first: whatever else was asked goes with it.
    """
    handed = next((one for one in sure if isinstance(one, Escalate)), None)
    if handed is not None:
        return handed
    answers = {one.revision.article.id: one for one in sure if isinstance(one, Answer)}
    if isinstance(whole, Answer) and not answers.keys() - {whole.revision.article.id}:
        return replace(whole, rest=rest) if rest else None
    if not answers:
        return None
    first, *further = answers.values()
    return replace(first, further=tuple(further), rest=rest)
