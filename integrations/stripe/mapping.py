"""Stripe's objects, as JSON, to Facts. Pure.

Every function raises Malformed for an object that it cannot read: with a state, a currency or a type that is not
known, what would be shown could be wrong. Shapes are those of API 2026-10-28 (docs.stripe.com/api).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.domain.identity import CustomerRef, Provider
from bot.domain.money import Money
from bot.domain.transactions import (
    Decline,
    Dispute,
    DisputeState,
    Invoice,
    InvoiceState,
    Method,
    Payment,
    PaymentState,
    Refund,
    RefundState,
    Subscription,
)
from integrations.stripe.fields import (
    Json,
    Malformed,
    currency_in,
    id_of,
    link,
    maybe_time_in,
    money_in,
    object_in,
    one_of,
    reference,
    text,
    time_in,
    whole,
    word,
)

_CUSTOMER = re.compile(r"[^\s<>&|\"'`]{1,255}")
_LAST4 = re.compile(r"[0-9]{4}")
_TRACE = re.compile(r"[A-Za-z0-9-]{4,64}")

_CHARGES: Final = {"pending": PaymentState.PENDING, "failed": PaymentState.FAILED}
_DISPUTES: Final = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.INQUIRY_CLOSED,
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
    "prevented": DisputeState.PREVENTED,
}


def owner(data: Json) -> CustomerRef | None:
    """Whose this charge, intent, invoice or subscription is; None when it does not say."""
    found = reference(data, "customer")
    return CustomerRef(Provider.STRIPE, found) if found is not None and _CUSTOMER.fullmatch(found) else None


def customer(data: Json) -> CustomerRef | None:
    """A customer's own id; None when it is none."""
    return owner({"customer": data.get("id")})


def payment(charge: Json) -> Payment:
    """A charge. What a partial capture left over was released, not refunded, and is counted nowhere."""
    state = _charge_state(charge)
    money = money_in(charge, "amount")
    back = (
        money_in(charge, "amount_refunded") if charge.get("amount_refunded") is not None else Money(0, money.currency)
    )
    if state is PaymentState.SUCCEEDED and charge.get("amount_captured") is not None:
        taken = money_in(charge, "amount_captured")
        released = money.amount - taken.amount
        money, back = taken, Money(max(0, back.amount - released), money.currency)
    if state in (PaymentState.HELD, PaymentState.CANCELLED):
        back = Money(0, money.currency)
    card = _card(charge)
    return Payment(
        id=id_of(charge),
        customer=_owner(charge),
        money=money,
        state=state,
        created_at=time_in(charge, "created"),
        refunded=back,
        method=method(charge),
        intent=reference(charge, "payment_intent"),
        disputed=charge.get("disputed") is True,
        decline=_decline(charge) if state is PaymentState.FAILED else None,
        hold_until=maybe_time_in(card, "capture_before") if state is PaymentState.HELD else None,
        description=text(charge.get("description")),
        statement=text(charge.get("calculated_statement_descriptor") or charge.get("statement_descriptor")),
        receipt_url=link(charge.get("receipt_url")),
    )


def failed_intent(intent: Json) -> Payment | None:
    """A purchase that failed before there was a charge (the bank's check of who pays, above all); None for all others:
    what has a charge is listed there, and what was never tried is no payment."""
    error = object_in(intent, "last_payment_error")
    if not error or intent.get("latest_charge") is not None:
        return None
    code = word(error.get("decline_code")) or word(error.get("code")) or ""
    return Payment(
        id=id_of(intent),
        customer=_owner(intent),
        money=money_in(intent, "amount"),
        state=PaymentState.FAILED,
        created_at=time_in(intent, "created"),
        refunded=Money(0, currency_in(intent)),
        method=_method(object_in(error, "payment_method")),
        intent=id_of(intent),
        decline=Decline(code, advice=word(error.get("advice_code"))),
        description=text(intent.get("description")),
        statement=text(intent.get("statement_descriptor")),
    )


def refund(data: Json, charge: Json) -> Refund:
    """A refund and the charge it belongs to, which alone says whose it is."""
    details = object_in(data, "destination_details")
    kind = word(details.get("type"))
    place = object_in(details, kind) if kind else {}
    trace, status = place.get("reference"), place.get("reference_status")
    known = isinstance(trace, str) and _TRACE.fullmatch(trace) and status not in ("pending", "unavailable")
    return Refund(
        id=id_of(data),
        payment=id_of(charge),
        customer=_owner(charge),
        money=money_in(data, "amount"),
        state=one_of(RefundState, data, "status"),
        created_at=time_in(data, "created"),
        method=method(charge),
        trace=trace if known else None,
        trace_pending=status == "pending",
        reversal=place.get("type") == "reversal",
        failure=word(data.get("failure_reason")),
        pending=word(data.get("pending_reason")),
    )


def invoice(data: Json, now: datetime) -> Invoice:
    """A bill. `now`: when it was fetched, since a link that has just been fetched works for ten days at least."""
    created, due_at = time_in(data, "created"), maybe_time_in(data, "due_date")
    url = link(data.get("hosted_invoice_url"))
    finalised = maybe_time_in(object_in(data, "status_transitions"), "finalized_at") or created
    lasts = min((due_at or finalised) + timedelta(days=30), finalised + timedelta(days=120))
    return Invoice(
        id=id_of(data),
        number=text(data.get("number")),
        customer=_owner(data),
        total=money_in(data, "total"),
        due=money_in(data, "amount_remaining" if "amount_remaining" in data else "amount_due"),
        state=one_of(InvoiceState, data, "status"),
        created_at=created,
        due_at=due_at,
        next_attempt_at=maybe_time_in(data, "next_payment_attempt"),
        attempts=whole(data.get("attempt_count")) or 0,
        url=url,
        url_until=max(lasts, now + timedelta(days=10)) if url else None,
    )


def product_ids(data: Json) -> tuple[str, ...]:
    """The products of a subscription whose names are not in it."""
    found = (reference(object_in(item, "price"), "product") for item in _listed(data))
    return tuple(one for one in found if one is not None and _CUSTOMER.fullmatch(one))


def subscription(data: Json, products: Mapping[str, str]) -> Subscription:
    """A plan, with the names of `products` by id. Of several items: their names, the sum of their prices when all have
    one and the same interval, and no quantity; else the price is for one of `quantity`."""
    items = _items(data)
    period_end = max((end for item in items if (end := maybe_time_in(item, "current_period_end"))), default=None)
    period_end = period_end or maybe_time_in(data, "current_period_end")
    ends_at = maybe_time_in(data, "ended_at") or maybe_time_in(data, "cancel_at")
    if ends_at is None and data.get("cancel_at_period_end") is True:
        ends_at = period_end
    state = word(data.get("status"))
    if state is None:
        raise Malformed("status")
    intervals = {_interval(item) for item in items}
    interval = intervals.pop() if len(intervals) == 1 else None
    return Subscription(
        id=id_of(data),
        customer=_owner(data),
        state=state,
        plan=text(" + ".join(_plan(item, products) for item in items)) or "",
        price=_price(items) if interval is not None else None,
        interval=interval,
        quantity=whole(items[0].get("quantity")) if len(items) == 1 else None,
        started_at=time_in(data, "start_date" if data.get("start_date") is not None else "created"),
        period_end=period_end,
        ends_at=ends_at,
        trial_end=maybe_time_in(data, "trial_end"),
    )


def dispute(data: Json, charge: Json) -> Dispute:
    """A dispute and the charge it is about, which alone says whose it is."""
    state = _DISPUTES.get(str(data.get("status")))
    if state is None:
        raise Malformed("status")
    return Dispute(
        id=id_of(data),
        payment=id_of(charge),
        customer=_owner(charge),
        money=money_in(data, "amount"),
        state=state,
        created_at=time_in(data, "created"),
        due_at=maybe_time_in(object_in(data, "evidence_details"), "due_by"),
        refundable=data.get("is_charge_refundable") is True,
    )


def method(charge: Json) -> Method:
    """What a charge was paid with."""
    return _method(object_in(charge, "payment_method_details"))


def belongs(data: Json, charge: Json) -> bool:
    """Whether a refund or a dispute is one of this charge."""
    return reference(data, "charge") == charge.get("id")


# ---- parts -----------------------------------------------------------------------------------------------------


def _owner(data: Json) -> CustomerRef:
    found = owner(data)
    if found is None:
        raise Malformed("customer")
    return found


def _listed(data: Json) -> Sequence[Json]:
    found = object_in(data, "items").get("data")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _items(data: Json) -> Sequence[Json]:
    items = _listed(data)
    if not items:
        raise Malformed("items")
    return items


def _card(charge: Json) -> Json:
    return object_in(object_in(charge, "payment_method_details"), "card")


def _method(details: Json) -> Method:
    kind = word(details.get("type")) or "unknown"
    place = object_in(details, kind)
    last4 = place.get("last4")
    return Method(
        kind=kind,
        brand=word(place.get("brand")),
        last4=last4 if isinstance(last4, str) and _LAST4.fullmatch(last4) else None,
        wallet=word(object_in(place, "wallet").get("type")),
    )


def _charge_state(charge: Json) -> PaymentState:
    status = charge.get("status")
    if status != "succeeded":
        state = _CHARGES.get(str(status))
        if state is None:
            raise Malformed("status")
        return state
    if charge.get("captured") is not False:
        return PaymentState.SUCCEEDED
    # A hold that was let go, by us or by time, is a charge that was refunded before it was taken.
    return PaymentState.CANCELLED if charge.get("refunded") is True else PaymentState.HELD


def _decline(charge: Json) -> Decline:
    outcome = object_in(charge, "outcome")
    code = word(outcome.get("reason")) or word(charge.get("failure_code")) or ""
    return Decline(code, ours=outcome.get("type") == "blocked", advice=word(outcome.get("advice_code")))


def _plan(item: Json, products: Mapping[str, str]) -> str:
    price = object_in(item, "price")
    product = object_in(price, "product").get("name")
    name = products.get(reference(price, "product") or "") or product or price.get("nickname")
    return text(name) or "plan"


def _interval(item: Json) -> str | None:
    """Such as "month" or "3 months"."""
    recurring = object_in(object_in(item, "price"), "recurring")
    unit, number = word(recurring.get("interval")), whole(recurring.get("interval_count")) or 1
    if unit is None:
        return None
    return unit if number == 1 else f"{number} {unit}s"


def _price(items: Sequence[Json]) -> Money | None:
    prices = [object_in(item, "price") for item in items]
    if any(price.get("unit_amount") is None for price in prices):  # in steps, by use, or in parts of a cent
        return None
    units = [money_in(price, "unit_amount") for price in prices]
    if len(units) == 1:
        return units[0]
    numbers = [whole(item.get("quantity", 1)) for item in items]
    if len({unit.currency for unit in units}) > 1 or None in numbers:
        return None
    total = sum(unit.amount * (number or 0) for unit, number in zip(units, numbers, strict=True))
    return Money(total, units[0].currency)
