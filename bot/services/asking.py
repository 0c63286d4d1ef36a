"""Asking on the command line: the same decisions, without side effects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bot.domain.articles import Action, Citation
from bot.domain.policy import Answer, Chat, Clarify, Escalate, citation
from bot.domain.redaction import redact
from bot.ports import Knowledge
from bot.services import words
from bot.services.speaking import handoff_words
from bot.services.understanding import Understood, only_removed, understand


@dataclass(frozen=True, slots=True)
class Asking:
    """One JSON line of `ask --json`. `confidence` is 0..1; `candidates` are article ids, best first."""

    question: str
    action: str
    article: str | None
    candidates: tuple[str, ...]
    confidence: float
    text: str
    citations: tuple[Citation, ...]
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The line's object, with citations cut to what names a revision."""
        cited = [{"article": one.article, "revision": one.revision, "heading": one.heading} for one in self.citations]
        return {**asdict(self), "candidates": list(self.candidates), "citations": cited}


async def ask(raw: str, knowledge: Knowledge) -> Asking:
    """What the bot would say to a new conversation's first message. Writes nothing, tells nobody."""
    redaction = redact(raw)
    question = redaction.text
    notice = words.removed(redaction.found)
    understood = await understand(question, knowledge, route_always=True)
    candidates = tuple(one.article for one in understood.routing.candidates) if understood.routing else ()
    confidence = 1.0 if understood.by_rule else (understood.routing.confidence if understood.routing else 0.0)
    action, article, text, citations, reason = _spoken(understood)
    if notice is not None and only_removed(question):
        return Asking(question, "answer", None, candidates, 1.0, str(notice), (), "a secret was removed")
    if notice is not None:
        text = f"{notice}\n\n{text}"
    return Asking(question, action, article, candidates, round(confidence, 4), text, citations, reason)


def _spoken(understood: Understood) -> tuple[str, str | None, str, tuple[Citation, ...], str]:
    decision = understood.decision
    match decision:
        case Chat(talk=talk):
            return "answer", None, str(words.small_talk(talk)), (), f"small talk: {talk}"
        case Clarify(choices=choices):
            listed = "\n".join(f"- {choice.label}" for choice in choices)
            return "clarify", None, f"{words.DID_YOU_MEAN}\n{listed}", (), "could be more than one thing"
        case Answer(revision=revision, heading=heading):
            article = revision.article
            action = "lookup" if article.action is Action.LOOKUP else "answer"
            return action, article.id, article.answer, (citation(revision, heading),), "an article fits"
        case Escalate(reason=why, revision=revision):
            reply = handoff_words(decision, None)
            named = revision.article.id if revision is not None else None
            return "handoff", named, str(reply.text), reply.citations, why.value
