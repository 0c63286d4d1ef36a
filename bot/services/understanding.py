"""From a question to a decision: rules first, then routing."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace

from bot.domain.articles import Priority
from bot.domain.cases import Reason
from bot.domain.phrases import declines_person
from bot.domain.policy import PERSON_ARTICLE, UNSURE_TOPIC, Decision, Escalate, by_rule, decide
from bot.domain.redaction import Redacted
from bot.domain.routing import Band, Routing
from bot.errors import Unavailable
from bot.ports import Knowledge

log = logging.getLogger(__name__)

FEWEST_WORDS = 4
_REMOVED = re.compile(r"\[[^\]\n]{1,60} removed\]")


@dataclass(frozen=True, slots=True)
class Understood:
    """A decision with the routing that it rests on; `routing` is None when nothing could be asked."""

    decision: Decision
    routing: Routing | None
    by_rule: bool


async def understand(
    question: Redacted, knowledge: Knowledge, *, unsure: int = 0, route_always: bool = False
) -> Understood:
    """Decide on one question. `unsure` counts unsure turns just before it. `route_always` fills the candidates
    even where a rule decides, for the command line."""
    publication = knowledge.publication
    rule = by_rule(question, publication)
    if rule is not None and not route_always:
        return Understood(rule, None, by_rule=True)
    try:
        routing = await knowledge.route(question)
    except Unavailable as error:
        log.warning("routing is unavailable: %s", error.edge)
        down = Escalate(Reason.EDGE_DOWN, UNSURE_TOPIC, Priority.NORMAL)
        return Understood(rule or down, None, by_rule=rule is not None)
    if rule is not None:
        return Understood(rule, routing, by_rule=True)
    if declines_person(question):
        routing = _without_person(routing)
    return Understood(decide(routing, publication, unsure), routing, by_rule=False)


def _without_person(routing: Routing) -> Routing:
    """The routing of somebody who does not want a human: that article is not what they ask for."""
    left = tuple(candidate for candidate in routing.candidates if candidate.article != PERSON_ARTICLE)
    if len(left) == len(routing.candidates) or routing.candidates[0].article != PERSON_ARTICLE:
        return replace(routing, candidates=left)
    return replace(routing, candidates=left, band=Band.MIDDLE if left else Band.LOW, heading=None)


def is_sure(understood: Understood) -> bool:
    """Whether the decision may be spoken where nobody asked the bot."""
    return understood.routing is not None and understood.routing.band is Band.HIGH


def only_removed(text: Redacted) -> bool:
    """Whether a message says too little besides what was removed from it ("my card is …") to be a question."""
    left = _REMOVED.sub(" ", text)
    return left != text and len(re.findall(r"\w+", left)) < FEWEST_WORDS
