"""What the bot says to a customer."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.articles import Citation
from bot.domain.replies import Choice, Offer, Reply
from handlers.blocks import ids
from handlers.blocks.elements import (
    MAX_ACTION_ID,
    MAX_FALLBACK,
    MAX_OPTION_VALUE,
    Block,
    Message,
    actions,
    button,
    context,
    mrkdwn,
    plain,
    section,
    select,
    table,
)
from handlers.blocks.text import authored, day, escaped, one_line, spoken

MAX_ANSWER = 8000
MAX_NOTICE = 600
MAX_CITATIONS = 3
MAX_CHOICES = 3
MAX_TABLE = 3000
ELSE_LABEL = "Something else"
PICK_LABEL = "Which one?"

_OFFERS: dict[Offer, tuple[Block, ...]] = {
    Offer.FEEDBACK: (button("That helped", ids.ANSWER_HELPED), button("That didn't help", ids.ANSWER_NOT_HELPED)),
    Offer.ASK_BOT: (button("Ask the bot", ids.OFFER_ASK_BOT, style="primary"),),
    Offer.SPECIALIST: (button("Talk to a specialist", ids.ANSWER_SPECIALIST),),
    Offer.NOT_NOW: (button("Not now", ids.OFFER_NOT_NOW),),
    Offer.PROVE: (button("Prove my billing e-mail", ids.LOOKUP_PROVE, style="primary"),),
}


def reply_message(reply: Reply) -> Message:
    """The answer, before it the notice, after it its sources, the choices and the offers."""
    choices = choosable(reply.choices, ids.ANSWER_CHOOSE, MAX_CHOICES)
    citations = reply.citations[:MAX_CITATIONS]
    blocks: list[Block] = []
    if reply.notice is not None:
        blocks.append(section(plain(reply.notice, MAX_NOTICE)))
    blocks.append({"type": "markdown", "text": authored(reply.text, MAX_ANSWER)})
    if reply.table is not None:
        blocks.append(table(reply.table))
    blocks.extend(context(mrkdwn(f"*Source:* {_source(citation)}")) for citation in citations)
    if choices:
        blocks.append(actions(*choice_buttons(choices, ids.ANSWER_CHOOSE), button(ELSE_LABEL, ids.ANSWER_ELSE)))
    options = _pickable(reply)
    if options:
        blocks.append(actions(select(PICK_LABEL, ids.LOOKUP_PICK + reply.pick, options)))
    offers = [element for offer in dict.fromkeys(reply.offers) for element in _offered(offer, reply)]
    if offers:
        blocks.append(actions(*offers))
    return Message(_fallback(reply, citations, choices, options), tuple(blocks))


def _pickable(reply: Reply) -> list[tuple[str, str]]:
    """What can be picked, without ids that Slack could not send back."""
    if not reply.pick or len(ids.LOOKUP_PICK + reply.pick) > MAX_ACTION_ID:
        return []
    return [(one.id, one_line(one.label)) for one in reply.options if 0 < len(one.id) <= MAX_OPTION_VALUE]


def _offered(offer: Offer, reply: Reply) -> tuple[Block, ...]:
    match offer:
        case Offer.NEWS | Offer.NEWS_STOP | Offer.ARRIVED if not reply.about:
            return ()
        case Offer.NEWS:
            return (button("Tell me when there is news", ids.NEWS_TELL, reply.about),)
        case Offer.NEWS_STOP:
            return (button("Stop telling me", ids.NEWS_STOP, reply.about),)
        case Offer.ARRIVED:
            arrived = button("Yes, it has arrived", ids.NEWS_ARRIVED, reply.about)
            return (arrived, button("No, it has not", ids.NEWS_NOT_ARRIVED, reply.about))
        case _:
            return _OFFERS[offer]


def choosable(choices: Sequence[Choice], prefix: str, most: int) -> tuple[Choice, ...]:
    """The first of the choices, without repetitions and without ids that Slack could not send back."""
    once = {choice.article: choice for choice in reversed(choices) if len(prefix + choice.article) <= MAX_ACTION_ID}
    return tuple(choice for choice in choices if once.pop(choice.article, None) is not None)[:most]


def choice_buttons(choices: Sequence[Choice], prefix: str) -> tuple[Block, ...]:
    """A button for each article; its value is the article's id."""
    return tuple(button(one_line(choice.label), prefix + choice.article, choice.article) for choice in choices)


def _source(citation: Citation) -> str:
    parts = [escaped(one_line(citation.title), 300)]
    if citation.heading is not None:
        parts.append(f"section “{escaped(one_line(citation.heading), 300)}”")
    parts += [f"revision {citation.revision}", f"effective since {day(citation.effective_from)}"]
    return " · ".join(parts)


def _fallback(
    reply: Reply, citations: Sequence[Citation], choices: Sequence[Choice], options: Sequence[tuple[str, str]]
) -> str:
    parts = [] if reply.notice is None else [escaped(reply.notice, MAX_NOTICE)]
    parts.append(spoken(reply.text, MAX_FALLBACK - 4000))
    if choices:
        labels = [*(escaped(one_line(choice.label), 200) for choice in choices), ELSE_LABEL]
        parts.append("\n".join(f"• {label}" for label in labels))
    if reply.table is not None:
        parts.insert(len(parts) - bool(choices), escaped(reply.table.text, MAX_TABLE))
    if options:
        parts.append("\n".join(f"• {escaped(label, 200)}" for _, label in options))
    parts += [f"Source: {_source(citation)}" for citation in citations]
    return "\n\n".join(parts)
