"""What to do with a question: pure rules over its text, its routing and its case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.articles import Action, Citation, Priority, Publication, Revision
from bot.domain.cases import Reason
from bot.domain.replies import Choice
from bot.domain.routing import Band, Routing

MAX_CHOICES = 3
PERSON_ARTICLE = "talk-to-person"
UNSURE_TOPIC = "unsure"


class Talk(StrEnum):
    """Small talk: what people say that is not a question."""

    GREETING = "greeting"
    WHO = "who are you"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Answer:
    """Say the article's answer, citing its revision. `heading` is the section that fits the question best."""

    revision: Revision
    heading: str | None


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


Decision = Answer | Clarify | Chat | Escalate

_PUNCTUATION = re.compile(r"[^\w\s']+", re.UNICODE)
_SMALL_TALK: tuple[tuple[Talk, re.Pattern[str]], ...] = (
    (
        Talk.GREETING,
        re.compile(
            r"(hi|hey|hello|hiya|howdy|yo|greetings|good (morning|afternoon|evening|day))"
            r"( (there|all|everyone|team|bot|handrail|again|folks))*( how are you| how is it going| how's it going)?"
        ),
    ),
    (
        Talk.WHO,
        re.compile(
            r"(hi |hey |hello )?(so )?(who are you|what are you|what can you do|what do you do|help"
            r"|how can you help( me)?"
            r"|are you (a |an )?(bot|robot|ai|machine|human|person|real|real person|a real person|chatgpt|gpt))"
            r"( handrail| please| really)?"
        ),
    ),
    (
        Talk.THANKS,
        re.compile(
            r"(ok |okay |great |perfect |super |awesome |cool |oh |ah |got it |alright )*"
            r"(thanks|thank you|thankyou|thx|ty|cheers|many thanks|much appreciated|appreciate it)"
            r"( (so much|very much|a lot|a bunch|again|for (your|the) help|that helps|that helped|bot|handrail|team))*"
            r"|(ok|okay|oh|ah|got it|great|perfect|cool|nice|that helps|that helped|all good|all clear|sounds good)"
            r"( (ok|okay|got it|great|perfect|cool|nice|that helps|that helped|all good|all clear|sounds good"
            r"|thanks|thx))*"
        ),
    ),
    (
        Talk.GOODBYE,
        re.compile(r"(bye|goodbye|bye bye|see you|see ya|have a (good|nice|great) (day|one|evening|weekend))"),
    ),
)
_PERSON = re.compile(
    r"\b(?:(?:talk|speak|chat|connect|put|pass|transfer|escalate|hand|get|give|reach|contact|want|need|prefer)\b"
    r"(?:\s+\w+){0,6}?\s+(?:human|person|real person|specialist|representative|rep|operator|manager|supervisor|someone"
    r"|somebody|agent|staff|people)\b"
    r"|(?:human|specialist|representative|operator|agent|real person)(?: please| now|$))",
    re.IGNORECASE,
)
_NOT_ASKING = re.compile(
    r"\b(?:don'?t|do not|no need to|not)\s+(?:\w+\s+){0,2}(?:want|need|talk|speak)\b", re.IGNORECASE
)


_DISTRESS = re.compile(
    r"\b(?:kill(?:ing)? my\s?self|suicid\w*|end(?:ing)? my (?:own )?life|want to die|wanna die|hurt(?:ing)? my\s?self"
    r"|harm(?:ing)? my\s?self|self[- ]harm|don'?t want to live|no reason to live)\b",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"\b(?:(?:i|we)(?:'ll| will|'m going to| am going to| are going to)? (?:sue|be suing)\b|suing you|sue you|sue acme"
    r"|my (?:lawyer|attorney|solicitor)|our (?:lawyer|attorney|solicitor)s?|legal action|take (?:you|this) to court"
    r"|small claims|ombudsman|consumer protection|report(?:ing)? you to|data protection authority|class action)",
    re.IGNORECASE,
)
LEGAL_TOPIC = "legal"
DISTRESS_TOPIC = "distress"


def small_talk(text: str) -> Talk | None:
    """The kind of small talk that the *whole* text is, None when there is more to it."""
    words = " ".join(_PUNCTUATION.sub(" ", text).lower().split())
    if not words:
        return Talk.EMPTY
    return next((talk for talk, pattern in _SMALL_TALK if pattern.fullmatch(words)), None)


def asks_for_person(text: str) -> bool:
    """Whether somebody asks for a human in so many words. Short texts only: long ones go through routing."""
    return len(text) <= 200 and bool(_PERSON.search(text)) and not _NOT_ASKING.search(text)


def declines_person(text: str) -> bool:
    """Whether somebody says in so many words that they do not want a human."""
    return bool(_PERSON.search(text)) and bool(_NOT_ASKING.search(text))


def citation(revision: Revision, heading: str | None) -> Citation:
    """What an answer from this revision cites."""
    article = revision.article
    return Citation(article.id, article.title, revision.number, heading, article.effective_from)


def by_rule(text: str, publication: Publication) -> Decision | None:
    """What is decided without retrieval: small talk, distress, a legal threat, a request for a person."""
    talk = small_talk(text)
    if talk is not None:
        return Chat(talk)
    if _DISTRESS.search(text):
        return Escalate(Reason.DISTRESS, DISTRESS_TOPIC, Priority.URGENT)
    if _LEGAL.search(text):
        return Escalate(Reason.LEGAL, LEGAL_TOPIC, Priority.HIGH)
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
