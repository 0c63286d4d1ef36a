"""What a customer reads about subscriptions, invoices and disputes."""

from __future__ import annotations

from typing import Final

from bot.domain.findings import DisputeFound, InvoicesFound, PlanFound, PlanStage
from bot.domain.transactions import DisputeState, Invoice, InvoiceState, Subscription
from bot.services.money_words import Reader, format_day, format_money
from bot.services.outside_words import linked, outside, quoted
from bot.services.payment_words import LINKS_ARE_PRIVATE, counted

_CAN_CHANGE: Final = "Tax, discounts and changes made until then can alter the amount."
_TAKES_MONTHS: Final = "This often takes 2 to 3 months in all, and we cannot make it quicker."

_INVOICES: Final = {
    InvoiceState.PAID: "paid",
    InvoiceState.OPEN: "open",
    InvoiceState.VOID: "cancelled",
    InvoiceState.UNCOLLECTIBLE: "unpaid",
    InvoiceState.DRAFT: "not final",
}
_DISPUTES: Final = {
    DisputeState.INQUIRY: "No money has moved. We can answer your bank, and it then decides whether a dispute follows.",
    DisputeState.INQUIRY_CLOSED: "Your bank has closed its question, and no dispute followed.",
    DisputeState.NEEDS_RESPONSE: "Next, we can answer your bank once; then your bank decides. " + _TAKES_MONTHS,
    DisputeState.UNDER_REVIEW: "Your bank has our answer and decides next. " + _TAKES_MONTHS,
    DisputeState.WON: "Your bank has closed it: the payment stands. Your bank can explain its decision.",
    DisputeState.LOST: "Your bank has closed it in your favour: the money comes back through your bank.",
    DisputeState.PREVENTED: "It was settled before it was opened. A specialist can say how.",
}


# ---- subscriptions ---------------------------------------------------------------------------------------------


def plan_words(found: PlanFound, reader: Reader) -> list[str]:
    """A subscription: what comes next, what it costs, what is open."""
    said = [_next(found, reader)]
    if found.stage not in (PlanStage.ENDED, PlanStage.ENDING) and found.subscription.price is not None:
        said.append(f"It costs {price_of(found.subscription, reader)}. {_CAN_CHANGE}")
    if found.invoice is not None:
        said.append(_open_invoice(found.invoice, reader))
    if found.others:
        said.append("There are other subscriptions on record for you that are not shown here.")
    return said


def price_of(plan: Subscription, reader: Reader) -> str:
    """Such as `4 × $25.00 every month`."""
    if plan.price is None:
        return ""
    every = f" every {plan.interval}" if plan.interval else ""
    times = f"{plan.quantity} × " if plan.quantity is not None and plan.quantity != 1 else ""
    return f"{times}{format_money(plan.price, reader.locale)}{every}"


def _next(found: PlanFound, reader: Reader) -> str:
    plan = found.subscription
    name = quoted(plan.plan) or "Your subscription"
    on = f" on {format_day(plan.ends_at, reader)}" if plan.ends_at else ""
    paid_on = (
        f" The next payment is planned for {format_day(found.next_payment, reader)}." if found.next_payment else ""
    )
    match found.stage:
        case PlanStage.ACTIVE:
            return f"{name} is active.{paid_on}"
        case PlanStage.TRIAL:
            until = f" until {format_day(plan.trial_end, reader)}" if plan.trial_end else ""
            return f"{name} is in its trial{until}.{paid_on.replace('next', 'first')}"
        case PlanStage.ENDING:
            return f"{name} is set to end{on}. No renewal is planned."
        case PlanStage.ENDED:
            return f"{name} ended{on}. No further payment is planned for it."
        case PlanStage.PAST_DUE:
            ends = f" It is set to end{on}." if on else ""
            return f"The last payment for {name} has not gone through yet.{ends}"
        case PlanStage.UNPAID:
            return f"Payments for {name} did not go through, and its invoices are unpaid."
        case PlanStage.PAUSED:
            return f"{name} is paused. No payment is planned while it is."
        case PlanStage.INCOMPLETE:
            return f"The first payment for {name} has not gone through, so it has not begun."
        case PlanStage.UNKNOWN:
            return f"{name} is on record for you. A specialist can say what comes next."


def _open_invoice(invoice: Invoice, reader: Reader) -> str:
    shown = linked(f"An invoice of {format_money(invoice.due, reader.locale)}", invoice.url)
    again = ""
    if invoice.next_attempt_at is not None:
        again = f" The next try to collect it is planned for {format_day(invoice.next_attempt_at, reader)}."
    return f"{shown} is open.{again}"


# ---- invoices --------------------------------------------------------------------------------------------------


def invoices_words(found: InvoicesFound, reader: Reader) -> list[str]:
    """Invoices with their links, a line each, and how long the links work."""
    number = len(found.invoices)
    lead = "This is the invoice" if number == 1 else f"These are the {counted(number)} newest invoices"
    if number > 1 and not found.more:
        lead = f"These are the {counted(number)} invoices"
    said = [f"{lead} on record for you:\n" + "\n".join(f"- {invoice_line(bill, reader)}" for bill in found.invoices)]
    if found.more:
        said[0] += f"\n\n{found.more} more are older."
    ends = [bill.url_until for bill in found.invoices if bill.url and bill.url_until]
    if ends:
        said.append(f"Each link works until {format_day(min(ends), reader)} at least. {LINKS_ARE_PRIVATE}")
    elif any(bill.url for bill in found.invoices):
        said.append(f"The links expire. {LINKS_ARE_PRIVATE}")
    return said


def invoice_line(bill: Invoice, reader: Reader, *, link: bool = True) -> str:
    """An invoice in one line."""
    name = outside(bill.number, 40) or "Invoice"
    parts = [
        linked(name, bill.url) if link else name,
        format_money(bill.total, reader.locale),
        format_day(bill.created_at, reader),
        _INVOICES[bill.state],
    ]
    if bill.state is InvoiceState.OPEN:
        if bill.due != bill.total:
            parts.append(f"{format_money(bill.due, reader.locale)} left to pay")
        if bill.due_at is not None:
            parts.append(f"due {format_day(bill.due_at, reader)}")
    return " · ".join(parts)


# ---- disputes --------------------------------------------------------------------------------------------------


def dispute_words(found: DisputeFound, reader: Reader) -> list[str]:
    """A dispute: where it is and what comes next; no evidence, no deadline of ours."""
    dispute = found.dispute
    amount = f"**{format_money(dispute.money, reader.locale)}**"
    of = f" of {format_day(found.payment.created_at, reader)}" if found.payment is not None else ""
    day = format_day(dispute.created_at, reader)
    if dispute.state in (DisputeState.INQUIRY, DisputeState.INQUIRY_CLOSED):
        said = [f"On {day} your bank asked about {amount} of your payment{of}. {_DISPUTES[dispute.state]}"]
    else:
        said = [f"There is a dispute with your bank about {amount} of your payment{of}, since {day}."]
        said.append(_DISPUTES[dispute.state])
    if dispute.state in (DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW):
        said.append("Money that your bank gives you in the meantime is provisional until it has decided.")
    if found.others:
        said.append("There are other disputes on record too: name a day or an amount to see one of them.")
    return said


def dispute_state(state: DisputeState) -> str:
    """In a few words."""
    if state in (DisputeState.INQUIRY, DisputeState.INQUIRY_CLOSED):
        return "your bank asked" if state is DisputeState.INQUIRY else "question closed"
    return "dispute open" if state in (DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW) else "dispute closed"
