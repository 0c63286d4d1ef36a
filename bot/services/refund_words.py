"""What a customer reads about a refund: where it is, when it usually shows, what its bank can search by."""

from __future__ import annotations

from typing import Final

from bot.domain.findings import NoRefund, RefundFound
from bot.domain.findings_refunds import TRACE_WITHIN, RefundStage
from bot.domain.redaction import redacted
from bot.domain.transactions import PaymentState, Refund
from bot.services.money_words import Reader, format_day, format_days, format_money
from bot.services.payment_words import paid_with, state_of

_PENDING: Final = {
    "charge_pending": "The payment itself is not completed yet; the refund follows it.",
    "processing": "It is being processed.",
    "insufficient_funds": "It waits on our side. A specialist can say more.",
}
_FAILED: Final = {
    "lost_or_stolen_card": "The bank could not book it: the card or account may be closed or replaced.",
    "expired_or_canceled_card": "The bank could not book it: the card or account may be closed or replaced.",
    "charge_for_pending_refund_disputed": "The payment is in a dispute with your bank, which decides about the money.",
    "declined": "The bank did not take it.",
    "insufficient_funds": "It could not be sent on our side.",
    "merchant_request": "It was stopped on our side.",
}


def refund_words(found: RefundFound, reader: Reader) -> list[str]:
    """A refund, step by step."""
    said = [f"{_began(found, reader)} {_now(found, reader)}"]
    match found.stage:
        case RefundStage.WITH_BANK:
            said += [_usual(found, reader), *trace_words(found.refund)]
        case RefundStage.WINDOW_OVER:
            said += [*_over(found, reader), *trace_words(found.refund)]
        case RefundStage.REVERSED:
            said.append(_usual(found, reader))
        case RefundStage.FAILED:
            said.append("A specialist can look for another way with you.")
        case RefundStage.CANCELLED | RefundStage.NEEDS_ACTION:
            said.append("A specialist can say more.")
        case RefundStage.PENDING:
            said.append("It has not been handed to your bank yet, so there is no day yet on which to expect it.")
    if found.others:
        said.append("There are older refunds on record too: name a day or an amount to see one of them.")
    return said


def no_refund_words(found: NoRefund, reader: Reader) -> list[str]:
    """The payment that was meant, and that nothing went back."""
    payment = found.payment
    amount, day = format_money(payment.money, reader.locale), format_day(payment.created_at, reader)
    if payment.state in (PaymentState.HELD, PaymentState.CANCELLED):
        return [
            f"**{amount}** of {day} is {state_of(payment)}: it was only set aside, so there is nothing to send back."
        ]
    return [
        f"I see the payment of **{amount}** of {day}, and no refund for it so far. If you have asked for one, a "
        "specialist can say where your request is."
    ]


def _began(found: RefundFound, reader: Reader) -> str:
    refund, payment = found.refund, found.payment
    about = ""
    if payment is not None:
        paid = format_money(payment.money, reader.locale)
        about = f", for your payment of {paid} of {format_day(payment.created_at, reader)},"
    amount = format_money(refund.money, reader.locale)
    return f"A refund of **{amount}**{about} was created on {format_day(refund.created_at, reader)}."


def _now(found: RefundFound, reader: Reader) -> str:
    refund = found.refund
    where = _holder(refund)
    match found.stage:
        case RefundStage.WITH_BANK | RefundStage.WINDOW_OVER:
            to = paid_with(refund.method)
            return f"It was handed to {where}{f', for {to}' if to else ''}."
        case RefundStage.REVERSED:
            return (
                f"It was handed to {where} as a reversal: the payment itself disappears from your statement, no new "
                "line appears, and there is no trace number."
            )
        case RefundStage.PENDING:
            return f"It is pending. {_PENDING.get(refund.pending or '', '')}".strip()
        case RefundStage.NEEDS_ACTION:
            return (
                "It waits for a step of yours, such as the details of an account: please look for an e-mail about it."
            )
        case RefundStage.FAILED:
            return f"It failed, and the money did not reach you. {_FAILED.get(refund.failure or '', '')}".strip()
        case RefundStage.CANCELLED:
            return "It was cancelled, so no money is on its way."


def _usual(found: RefundFound, reader: Reader) -> str:
    seen = "This is usually visible" if found.refund.reversal else "It is usually visible"
    return f"{seen} {format_days(found.usual, reader)}. That is an estimate: {_holder(found.refund)} decides."


def _over(found: RefundFound, reader: Reader) -> list[str]:
    said = [
        f"It is usually visible {format_days(found.usual, reader)}, and that time is over. Please look around the day "
        "of the payment too, and at the statement of the card or account that paid."
    ]
    if found.refund.reversal:
        said.append("It was sent as a reversal: the payment itself disappears, and no new line appears.")
    if found.refund.trace is None:
        said.append("If you do not find it, a specialist can look into it.")
    return said


def trace_words(refund: Refund) -> list[str]:
    """What its bank can search by, or when that usually comes; nothing where there is none."""
    trace = refund.trace
    if trace is not None and redacted(trace) == trace:
        return [f"Trace number: `{trace}`. {_holder(refund, first=True)} can search for the money by it."]
    if trace is not None:  # looks like a card number, and would be taken out
        return ["There is a trace number; a specialist can give it to you."]
    if refund.trace_pending:
        return [f"A trace number is not there yet: it usually comes within {TRACE_WITHIN} business days."]
    return []


def _holder(refund: Refund, *, first: bool = False) -> str:
    if refund.method.kind == "paypal":
        return "PayPal"
    return "Your bank" if first else "your bank"
