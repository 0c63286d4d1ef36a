"""What specialists and customers are shown of a case, as it is now."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.domain.articles import Action, Audience
from bot.domain.cases import Case, Handoff, Reason, Status
from bot.domain.identity import Proof
from bot.domain.links import Link
from bot.domain.redaction import Redacted
from bot.domain.replies import Card, CardState, Choice, Home, HomeCase, HomeLink, HomeNews, Line, Speaker
from bot.errors import Unavailable
from bot.ports import Cases, Desk, Directory, Knowledge, News

log = logging.getLogger(__name__)

HOME_TOPICS = 12
ASKED_MOST = (
    "refund-status", "refund-policy", "cancel-subscription", "receipts", "invoice-copy", "update-card",
    "payment-declined", "pending-charge", "duplicate-charge", "unknown-charge", "next-bill", "price-change",
)  # fmt: skip
"""What stands on the Home tab first, as far as it is published; then what else can be answered, in its order."""


async def build_card(cases: Cases, knowledge: Knowledge, desk: Desk, handoff: Handoff) -> Card:
    """A handoff's card with the state that its case has now. What look-ups found is on it only while the specialists'
    channel is a private place; when nobody can say, it is not."""
    case = await cases.get(handoff.case)
    lines = await cases.lines(case.id)
    looked = any(line.facts for line in lines)
    private = looked and await _is_private(desk)
    return Card(
        handoff=handoff.id,
        case=case.id,
        customer=handoff.customer,
        question=handoff.question,
        reason=_reason(handoff, knowledge),
        priority=handoff.priority,
        state=_state(case, handoff),
        owner=case.owner,
        where=case.channel,
        permalink_ts=next((line.ts for line in lines if line.speaker is Speaker.CUSTOMER), None),
        opened_at=handoff.created_at,
        transcript=lines,
        facts=_facts(lines) if private else (),
        withheld=looked and not private,
    )


def _facts(lines: Sequence[Line]) -> tuple[Redacted, ...]:
    """The newest look-up's lines first, each once."""
    return tuple(dict.fromkeys(fact for line in reversed(lines) for fact in line.facts))


async def _is_private(desk: Desk) -> bool:
    try:
        return await desk.private()
    except Unavailable:
        log.warning("nobody can say who reads the specialists' channel: a card is shown without payment details")
        return False


def _reason(handoff: Handoff, knowledge: Knowledge) -> str:
    """Why a person was called, with the topic's title where there is one."""
    topic = knowledge.revision(handoff.topic)
    if topic is None or handoff.reason is Reason.ASKED:
        return handoff.reason.value
    return f"{handoff.reason.value}: {topic.article.title}"


def _state(case: Case, handoff: Handoff) -> CardState:
    if handoff.closed_at is not None:
        return CardState.RESOLVED
    return CardState.CLAIMED if case.status is Status.CLAIMED else CardState.WAITING


async def build_home(
    team: str,
    user: str,
    cases: Cases,
    knowledge: Knowledge,
    directory: Directory,
    news: News | None = None,
    links: tuple[Link, ...] = (),
) -> Home:
    """A person's Home tab: what can be asked, what a specialist has of theirs, which refunds they are told of, and by
    which `links` they see payments."""
    shown = []
    for case in await cases.open_cases(user):
        handoff = await cases.open_handoff(case.id)
        if handoff is not None:
            shown.append(HomeCase(handoff.question, case.status, handoff.created_at.date()))
    readable = [one.article for one in knowledge.publication.revisions if one.article.audience is Audience.CUSTOMER]
    rank = {name: at for at, name in enumerate(ASKED_MOST)}
    readable.sort(key=lambda article: (rank.get(article.id, len(rank)), article.action is Action.HANDOFF))
    topics = tuple(Choice(article.id, article.title) for article in readable[:HOME_TOPICS])
    awaited = await news.of_person(team, user) if news is not None else ()
    told = tuple(HomeNews(one.refund, one.label, one.ends_at.date()) for one in awaited)
    staff = await directory.is_staff(user)
    return Home(topics=topics, cases=tuple(shown), staff=staff, news=told, links=tuple(map(_home_link, links)))


def _home_link(link: Link) -> HomeLink:
    """Without the customers' ids: they mean nothing to a customer."""
    return HomeLink(
        id=link.id,
        proved=link.proof is Proof.CODE,
        shared=len(link.contacts) > 1,
        providers=tuple(sorted({customer.provider for customer in link.customers})),
        since=link.made_at.date(),
        until=link.expires_at.date(),
    )
