"""A handoff's card in the specialists' channel."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.articles import Priority
from bot.domain.replies import Card, CardState, Line, Speaker
from handlers.blocks import ids
from handlers.blocks.elements import (
    MAX_SECTION,
    Block,
    Message,
    actions,
    button,
    context,
    divider,
    fields,
    header,
    literal,
    mrkdwn,
    section,
)
from handlers.blocks.text import (
    ELLIPSIS,
    entities,
    escaped,
    mention,
    moment,
    one_line,
    place,
    quoted,
    shown,
    unmarked,
    width,
)

MAX_QUESTION = 1500
MAX_LINES = 12
MAX_LINE = 240
MAX_TRANSCRIPT = MAX_SECTION
"""A card is for a glance: the newest lines, in one section."""
MAX_FOUND = 2500
FOUND = "*What the payment records say*"
WARNING = "Do not refund"
WITHHELD = (
    "Payment details are not shown here: this channel is not private, or guests or other companies are in it. An admin "
    "can make it a private channel of specialists only."
)
HIDDEN = "(payment details, not shown here)"
INTERNAL = "This thread is internal: the customer does not see it. *Reply* sends your words to the customer."

_PRIORITIES = {
    Priority.URGENT: "⚠ Urgent",
    Priority.HIGH: "▲ High priority",
    Priority.NORMAL: "Normal priority",
}
_SPEAKERS = {Speaker.CUSTOMER: "Customer", Speaker.BOT: "Handrail", Speaker.SPECIALIST: "Specialist"}


def card_message(card: Card) -> Message:
    """The card as it is now. Its buttons are gone once the case is resolved."""
    title = f"{_PRIORITIES[card.priority]}: a customer needs a person"
    facts = _facts(card)
    earlier, lines = _transcript(card.transcript, withheld=card.withheld)
    found = _found(card)
    blocks = [
        header(title),
        section(mrkdwn(f"{mention(card.customer)} asks:")),
        section(literal(quoted(card.question, MAX_QUESTION))),
        fields(*(mrkdwn(f"*{name}*\n{value}") for name, value in facts)),
    ]
    if found:
        blocks += [divider(), context(mrkdwn(FOUND)), section(literal(shown("\n".join(found), MAX_FOUND)))]
    if lines:
        blocks += [divider(), context(mrkdwn(f"*Conversation so far*{earlier}"))]
        blocks.append(section(literal("\n".join(lines))))
    if card.state is not CardState.RESOLVED:
        blocks += [_buttons(card.handoff), context(mrkdwn(INTERNAL))]
    return Message(_fallback(card, title, facts, found, earlier, lines), tuple(blocks))


def _facts(card: Card) -> tuple[tuple[str, str], ...]:
    reason, where = escaped(one_line(card.reason), 200), place(card.where)
    return (
        ("Why", reason[:1].upper() + reason[1:]),
        ("Where", where[:1].upper() + where[1:]),
        ("Opened", moment(card.opened_at)),
        ("State", _state(card)),
    )


def _state(card: Card) -> str:
    if card.state is CardState.WAITING:
        return "Waiting for a specialist"
    if card.state is CardState.CLAIMED:
        return f"With {mention(card.owner)}" if card.owner else "With a specialist"
    return f"Done by {mention(card.owner)}" if card.owner else "Done"


def _buttons(handoff: str) -> Block:
    reply = button("Reply", ids.HANDOFF_REPLY, handoff, style="primary")
    link = button("Link to a customer", ids.HANDOFF_LINK, handoff)
    return actions(reply, button("Done", ids.HANDOFF_DONE, handoff), link)


def _found(card: Card) -> list[str]:
    """What the payment records say, with what must not be missed on top."""
    if card.withheld:
        return [WITHHELD]
    warnings = [one for one in card.facts if one.startswith(WARNING)]
    others = [one for one in card.facts if not one.startswith(WARNING)]
    return [*(f"⚠ {one_line(one)}" for one in warnings), *(one_line(one) for one in others)]


def _transcript(lines: Sequence[Line], *, withheld: bool) -> tuple[str, list[str]]:
    """The newest lines that fit, oldest first, and how many came before them."""
    kept: list[str] = []
    room = MAX_TRANSCRIPT
    for line in reversed(lines[-MAX_LINES:]):
        said = unmarked(line.text) if line.speaker is Speaker.BOT else line.text
        said = HIDDEN if withheld and line.facts else said
        text = f"{_SPEAKERS[line.speaker]}: {one_line(shown(said, MAX_LINE))}"
        room -= width(text) + 1
        if room < 0:
            break
        kept.append(text)
    dropped = len(lines) - len(kept)
    earlier = f" · {ELLIPSIS} {dropped} earlier {'message' if dropped == 1 else 'messages'}" if dropped else ""
    return earlier, kept[::-1]


def _fallback(
    card: Card,
    title: str,
    facts: Sequence[tuple[str, str]],
    found: Sequence[str],
    earlier: str,
    lines: Sequence[str],
) -> str:
    parts = [f"{title}. {mention(card.customer)} asks: {entities(quoted(card.question, MAX_QUESTION))}"]
    parts.append("\n".join(f"{name}: {value}" for name, value in facts))
    if found:
        parts.append(entities(shown("\n".join(found), MAX_FOUND)))
    if lines:
        parts.append(entities("\n".join([f"Conversation so far{earlier}", *lines])))
    return "\n\n".join(parts)
