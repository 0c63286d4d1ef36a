"""Asking on the command line: the same decisions, without side effects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bot.domain.articles import Action, Citation
from bot.domain.policy import Answer, Chat, Clarify, Escalate, Foreign, Repeat
from bot.domain.redaction import redact
from bot.ports import Knowledge
from bot.services import words
from bot.services.speaking import answer_words, handoff_words
from bot.services.understanding import Understood, only_removed, understand


@dataclass(frozen=True, slots=True)
class Asking:
    """One JSON line of `ask --json`. `confidence` is 0..1; `candidates` are article ids, best first.

    Not in the line: `offered`, the articles of a "Did you mean", and `by_rule`, whether words alone decided.
    """

    question: str
    action: str
    article: str | None
    candidates: tuple[str, ...]
    confidence: float
    text: str
    citations: tuple[Citation, ...]
    reason: str
    offered: tuple[str, ...] = ()
    by_rule: bool = False

    def to_json(self) -> dict[str, Any]:
        """The line's object, with citations cut to what names a revision."""
        cited = [{"article": one.article, "revision": one.revision, "heading": one.heading} for one in self.citations]
        line = {**asdict(self), "candidates": list(self.candidates), "citations": cited}
        return {name: value for name, value in line.items() if name not in ("offered", "by_rule")}


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
        removed = "a secret was removed"
        return Asking(question, "answer", None, candidates, 1.0, str(notice), (), removed, by_rule=True)
    if notice is not None:
        text = f"{notice}\n\n{text}"
    decision, by_rule = understood.decision, understood.by_rule
    offered = tuple(choice.article for choice in decision.choices) if isinstance(decision, Clarify) else ()
    confidence = round(confidence, 4)
    return Asking(question, action, article, candidates, confidence, text, citations, reason, offered, by_rule)


def _spoken(understood: Understood) -> tuple[str, str | None, str, tuple[Citation, ...], str]:
    decision = understood.decision
    match decision:
        case Chat(talk=talk):
            return "answer", None, str(words.small_talk(talk)), (), f"small talk: {talk}"
        case Clarify(choices=choices):
            listed = "\n".join(f"- {choice.label}" for choice in choices)
            return "clarify", None, f"{words.DID_YOU_MEAN}\n{listed}", (), "could be more than one thing"
        case Answer(revision=revision):
            article = revision.article
            action = "lookup" if article.action is Action.LOOKUP else "answer"
            text, citations = answer_words(decision)
            return action, article.id, str(text), citations, "an article fits"
        case Repeat():
            return "clarify", None, str(words.SAID_ALREADY), (), "said just before"
        case Foreign(language=language):
            return "clarify", None, str(words.english_only(language)), (), f"another language: {language}"
        case Escalate(reason=why, revision=revision):
            reply = handoff_words(decision, None)
            named = revision.article.id if revision is not None else None
            return "handoff", named, str(reply.text), reply.citations, why.value
