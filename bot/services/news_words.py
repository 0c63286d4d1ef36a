"""What a customer reads of a refund that they asked to be told of."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.domain.findings import Findings
from bot.domain.redaction import Redacted, redacted
from bot.domain.refund_news import Ended, Event, Verdict
from bot.domain.transactions import Refund
from bot.services.lookup_words import said
from bot.services.money_words import Reader, format_day, format_money, zone_named
from bot.services.refund_words import trace_words

NOT_NOW = redacted("I cannot look at this refund just now. Please press the button again in a moment.")
NOT_THEIRS = redacted("I cannot look at this refund. Ask me where your refund is, and I will say what I can see.")
ONLY_DIRECT = redacted("I tell news of a refund in a direct message only. Ask me there where your refund is.")
ALREADY = redacted("I am looking at this refund already. When there is news I write here.")
LOST = redacted(
    "I can no longer check this refund for you, so I have stopped looking. Ask me where your refund is, or ask for a "
    "specialist."
)
EXPIRED = redacted(
    "I have looked at a refund of yours for 45 days, and have stopped now. You can ask me about it at any time, or ask "
    "for a specialist."
)
STOPPED = redacted("I have stopped looking at this refund. You can ask me about it at any time.")
STOPPED_ALREADY = redacted("I was not looking at this refund any more.")
ARRIVED = redacted("Thank you, noted. I have stopped looking at this refund.")
WITHHELD = redacted(
    "There is news of a refund that the customer asked about. It is not shown here: this channel is no place for "
    "payment details. They were not told."
)
HAS_NOT_ARRIVED = redacted("My refund has not arrived.")
"""What pressing No says."""
HAS_IT_ARRIVED: Final = "Has it arrived?"

_HEADLINES: Final = {
    Event.MOVED: "There is news of the refund that you asked about.",
    Event.TRACE: "There is news of the refund that you asked about: it has a trace number now.",
    Event.WINDOW_OVER: "You asked to be told about this refund.",
    Event.FAILED: "There is news of the refund that you asked about: it failed.",
    Event.RETURNED: "There is news of the refund that you asked about: it came back, so it is not with you.",
    Event.CANCELLED: "There is news of the refund that you asked about: it was cancelled.",
}
_NO_MORE: Final = "I have stopped looking at it now. You can ask me about it at any time."
_INSIDE: Final = {
    Event.MOVED: "it has a new state",
    Event.TRACE: "it has a trace number",
    Event.WINDOW_OVER: "the usual time is over; the customer was not asked whether it has arrived",
    Event.FAILED: "it failed",
    Event.RETURNED: "it came back from the bank",
    Event.CANCELLED: "it was cancelled",
    Event.LOST: "it can no longer be checked for them",
    Event.EXPIRED: "45 days are over, and nothing became of it",
}


def news_words(verdict: Verdict, findings: Findings, reader: Reader) -> Redacted:
    """What there is to tell, with where the refund is now."""
    event = verdict.event
    paragraphs = [_HEADLINES[event]] if event in _HEADLINES else []
    paragraphs.append(str(said(findings, reader).text))
    if event is Event.WINDOW_OVER:
        paragraphs.append(HAS_IT_ARRIVED)
    elif verdict.news.ended is Ended.EXPIRED:
        paragraphs.append(_NO_MORE)
    return redacted("\n\n".join(paragraphs))


def started_words(refund: Refund, ends_at: datetime, reader: Reader) -> Redacted:
    """That we look from now on, how often, and until when."""
    amount = format_money(refund.money, reader.locale)
    told = (
        f"I look at your refund of **{amount}** of {format_day(refund.created_at, reader)} twice a day, on business "
        "days, and write here when there is a trace number, when it fails or comes back, and when the usual time is "
        f"over. I stop after {format_day(ends_at, reader)}, or when you tell me to."
    )
    trace = trace_words(refund) if refund.trace is not None else []
    return redacted("\n\n".join([told, *trace, f"Days are in {zone_named(reader)}."]))


def label_words(refund: Refund, reader: Reader) -> Redacted:
    """The refund in a few words, as plain text."""
    return redacted(f"{format_money(refund.money, reader.locale)}, created on {format_day(refund.created_at, reader)}")


def inside_words(event: Event, refund: str, facts: tuple[Redacted, ...]) -> Redacted:
    """The same for the specialist who has the case, and tells it in their own words."""
    head = f"The customer asked for news of the refund {refund}: {_INSIDE.get(event, str(event))}. They were not told."
    return redacted("\n".join([head, *facts]))
