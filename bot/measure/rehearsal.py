"""Before anything is broken: which questions the bot answers for certain, and what it says then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.articles import Action
from bot.errors import HandrailError
from bot.measure.ledger import Ledger
from bot.measure.scene import GENERAL
from integrations.workspace import Workspace
from knowledge.loader import shipped

EACH = 2
"""Phrasings of an article that are tried."""
LONGEST = 80
NEEDED = 4
"""Articles with different answers that a run needs."""
ANSWERED_WITHIN = 60.0


class NothingToAsk(HandrailError):
    """Too few shipped articles answer their own phrasings."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """By article the phrasings that it answered, and by phrasing the whole answer as Slack has it."""

    questions: Mapping[str, Sequence[str]]
    texts: Mapping[str, str]


async def rehearse(ws: Workspace, user: str, ledger: Ledger) -> Rehearsal:
    """Ask a few phrasings of every article that answers, each in a thread of its own."""
    asked: dict[str, tuple[str, str]] = {}
    for article in shipped():
        if article.action is Action.ANSWER:
            for question in [one for one in article.questions if len(one) <= LONGEST][:EACH]:
                ts = await ws.post(user, GENERAL, f"<@{ws.bot_user_id}> {question}")
                asked[ts] = article.id, question
    said: dict[str, str] = {}

    def all_answered(_: Workspace) -> bool:
        ours = (one for one in ws.messages(GENERAL) if one.get("user") == ws.bot_user_id)
        said.update((str(one["thread_ts"]), str(one["text"])) for one in ours)
        return asked.keys() <= said.keys()

    await ws.wait_for(all_answered, timeout=ANSWERED_WITHIN)
    questions: defaultdict[str, list[str]] = defaultdict(list)
    texts: dict[str, str] = {}
    outcomes = ledger.outcomes()
    for ts, (name, question) in asked.items():
        if outcomes.get((GENERAL, ts)) == f"answered: {name}":
            questions[name].append(question)
            texts[question] = said[ts]
    if len(questions) < NEEDED:
        raise NothingToAsk(f"only {', '.join(questions) or 'no article'} answered its own phrasings")
    return Rehearsal(questions, texts)
