"""What the story tells of payments, as Stripe's objects: charges, payment intents, refunds, disputes.

Shapes are those of API 2026-10-28 (docs.stripe.com/api). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from integrations.stripe.sandbox_story import Customer, Dispute, Method, Payment, Refund

Json = dict[str, Any]

MESSAGES: Final = {
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "insufficient_funds": "Your card has insufficient funds.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}
"""What Stripe says of a decline; of others it says that the card was declined."""
_NETWORK_CODES: Final = {"insufficient_funds": "51", "lost_card": "41", "expired_card": "54", "stolen_card": "43"}
_ADVICE: Final = {"insufficient_funds": "try_again_later", "lost_card": "do_not_try_again", "do_not_honor": None}
_CHARGE_EMPTY: Final = (
    *("application", "application_fee", "application_fee_amount", "balance_transaction", "failure_balance_transaction"),
    *("on_behalf_of", "receipt_email", "receipt_number", "review", "shipping", "source", "source_transfer"),
    *("statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group"),
)
_INTENT_EMPTY: Final = (
    *("application", "application_fee_amount", "automatic_payment_methods", "client_secret", "next_action"),
    *("on_behalf_of", "processing", "receipt_email", "review", "setup_future_usage", "shipping", "source"),
    *("statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group"),
)
_OWN_CODES: Final = frozenset({"expired_card", "incorrect_cvc", "processing_error", "authentication_required"})
_GOES_BACK: Final = frozenset({"succeeded", "pending", "requires_action"})


@dataclass(frozen=True, slots=True)
class Frame:
    """When the story begins, and where its pages are."""

    now: datetime
    url: str

    def at(self, span: timedelta) -> int:
        """A time of the story in Unix seconds."""
        return int((self.now + span).timestamp())

    def maybe(self, span: timedelta | None) -> int | None:
        return None if span is None else self.at(span)


def id_of(prefix: str, customer: Customer, name: str) -> str:
    """Such as `ch_sandbox_ana_plan`: the same in every run."""
    return f"{prefix}_sandbox_{customer.name}_{name}"


def cus(customer: Customer) -> str:
    return f"cus_sandbox_{customer.name}"


def charges(frame: Frame, customer: Customer) -> Iterator[Json]:
    """One for each attempt that reached a bank or our own rules."""
    return (_charge(frame, customer, one) for one in customer.payments if one.ended != "unauthenticated")


def intents(frame: Frame, customer: Customer) -> Iterator[Json]:
    """One for each purchase, however many attempts it took."""
    ordered = sorted(customer.payments, key=lambda one: (one.purchase, one.at))
    return (_intent(frame, customer, list(attempts)) for _, attempts in groupby(ordered, key=lambda one: one.purchase))


def refunds(frame: Frame, customer: Customer) -> Iterator[Json]:
    return (_refund(frame, customer, one, back) for one in customer.payments for back in _all_back(one))


def disputes(frame: Frame, customer: Customer) -> Iterator[Json]:
    return (_dispute(frame, customer, one, one.dispute) for one in customer.payments if one.dispute is not None)


def given_back(payment: Payment) -> int:
    """Minor units that went back or are on their way, what was only held included."""
    return sum(back.money.amount for back in _all_back(payment) if back.state in _GOES_BACK)


def _all_back(payment: Payment) -> tuple[Refund, ...]:
    """Refunds, and as Stripe does, one for what was held and let go."""
    if payment.ended == "released" and payment.until is not None:
        gone = Refund(
            f"{payment.name}_released",
            payment.money,
            payment.until,
            "succeeded",
            "unavailable",
            reversal=True,
            reason="expired_uncaptured_charge",
        )
        return (gone,)
    if payment.captured is not None and payment.captured.amount < payment.money.amount:
        rest = type(payment.money)(payment.money.amount - payment.captured.amount, payment.money.currency)
        left = Refund(f"{payment.name}_rest", rest, payment.at, "succeeded", "unavailable", reversal=True)
        return (*payment.refunds, left)
    return payment.refunds


# ---- charges ---------------------------------------------------------------------------------------------------


def _charge(frame: Frame, customer: Customer, payment: Payment) -> Json:
    failed = payment.ended in ("declined", "blocked")
    taken = payment.ended in ("succeeded", "pending")
    back = given_back(payment)
    charge = id_of("ch", customer, payment.name)
    return dict.fromkeys(_CHARGE_EMPTY) | {
        "id": charge,
        "object": "charge",
        "amount": payment.money.amount,
        "amount_captured": (payment.captured or payment.money).amount if taken else 0,
        "amount_refunded": back,
        "billing_details": dict.fromkeys(("address", "phone", "tax_id"))
        | {"email": customer.email, "name": customer.called},
        "calculated_statement_descriptor": None if failed else payment.statement,
        "captured": taken,
        "created": frame.at(payment.at),
        "currency": payment.money.currency,
        "customer": cus(customer),
        "description": payment.text,
        "disputed": payment.dispute is not None,
        "failure_code": _failure_code(payment),
        "failure_message": _failure_message(payment),
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(payment.metadata or {}),
        "outcome": _outcome(payment),
        "paid": not failed and payment.ended != "pending",
        "payment_intent": id_of("pi", customer, payment.purchase),
        "payment_method": id_of("pm", customer, payment.name),
        "payment_method_details": _details(frame, payment),
        "radar_options": {},
        "receipt_url": None if failed else f"{frame.url}/receipts/{charge}",
        "refunded": back >= payment.money.amount,
        "status": "failed" if failed else "pending" if payment.ended == "pending" else "succeeded",
    }


def _failure_code(payment: Payment) -> str | None:
    if payment.ended == "blocked":
        return "card_declined"
    if payment.ended != "declined":
        return None
    return payment.why if payment.why in _OWN_CODES else "card_declined"


def _failure_message(payment: Payment) -> str | None:
    if payment.ended == "declined":
        return MESSAGES.get(payment.why or "", "Your card was declined.")
    return "Your card was declined." if payment.ended == "blocked" else None


def _outcome(payment: Payment) -> Json:
    """What the bank, or Radar before it, made of an attempt."""
    told: Json = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    if payment.ended == "declined":
        told |= {
            "advice_code": _ADVICE.get(payment.why or ""),
            "network_decline_code": _NETWORK_CODES.get(payment.why or "", "05"),
            "network_status": "declined_by_network",
            "reason": payment.why,
            "seller_message": f"The bank returned the decline code `{payment.why}`.",
            "type": "issuer_declined",
        }
    if payment.ended == "blocked":
        told |= {
            "network_status": "not_sent_to_network",
            "reason": payment.why,
            "risk_level": "highest",
            "seller_message": "Stripe blocked this payment as too risky.",
            "type": "blocked",
        }
    return told


def _details(frame: Frame, payment: Payment) -> Json:
    """`payment_method_details`: of cards the most, since most is paid with them."""
    method = payment.method
    if method.kind != "card":
        return {"type": method.kind, method.kind: {} if method.last4 is None else {"last4": method.last4}}
    captured = {"capture_before": frame.maybe(payment.until)} if payment.until is not None else {}
    return {
        "type": "card",
        "card": {
            "amount_authorized": payment.money.amount,
            "brand": method.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "exp_month": 12,
            "exp_year": frame.now.year + 2,
            "funding": "credit",
            "installments": None,
            "last4": method.last4,
            "network": method.brand,
            "three_d_secure": None,
            "wallet": _wallet(method),
            **captured,
        },
    }


def _wallet(method: Method) -> Json | None:
    if method.wallet is None:
        return None
    return {"type": method.wallet, method.wallet: {}, "dynamic_last4": None}


# ---- payment intents -------------------------------------------------------------------------------------------

_INTENT_STATES: Final = {
    "succeeded": "succeeded",
    "pending": "processing",
    "held": "requires_capture",
    "released": "canceled",
}


def _intent(frame: Frame, customer: Customer, attempts: Sequence[Payment]) -> Json:
    """The last attempt says how it stands."""
    last = attempts[-1]
    charged = [one for one in attempts if one.ended != "unauthenticated"]
    state = _INTENT_STATES.get(last.ended, "requires_payment_method")
    released = last.ended == "released"
    return dict.fromkeys(_INTENT_EMPTY) | {
        "id": id_of("pi", customer, last.purchase),
        "object": "payment_intent",
        "amount": last.money.amount,
        "amount_capturable": last.money.amount if last.ended == "held" else 0,
        "amount_details": {"tip": {}},
        "amount_received": (last.captured or last.money).amount if last.ended == "succeeded" else 0,
        "canceled_at": frame.maybe(last.until) if released else None,
        "cancellation_reason": "automatic" if released else None,
        "capture_method": "manual" if last.until is not None else "automatic_async",
        "confirmation_method": "automatic",
        "created": frame.at(attempts[0].at),
        "currency": last.money.currency,
        "customer": cus(customer),
        "description": last.text,
        "last_payment_error": _payment_error(customer, last) if state == "requires_payment_method" else None,
        "latest_charge": id_of("ch", customer, charged[-1].name) if charged else None,
        "livemode": False,
        "metadata": dict(last.metadata or {}),
        "payment_method": None if state == "requires_payment_method" else id_of("pm", customer, last.name),
        "payment_method_types": [last.method.kind],
        "status": state,
    }


def _payment_error(customer: Customer, payment: Payment) -> Json:
    method = payment.method
    used: Json = {
        "id": id_of("pm", customer, payment.name),
        "object": "payment_method",
        "type": method.kind,
        method.kind: {"brand": method.brand, "last4": method.last4, "wallet": _wallet(method)},
    }
    if payment.ended == "unauthenticated":
        code = "payment_intent_authentication_failure"
        return {
            "type": "invalid_request_error",
            "code": code,
            "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
            "message": "The provided PaymentMethod has failed authentication. You can provide payment_method_data or "
            "a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
            "payment_method": used,
        }
    return {
        "type": "card_error",
        "code": _failure_code(payment),
        "decline_code": "fraudulent" if payment.ended == "blocked" else payment.why,
        "advice_code": _ADVICE.get(payment.why or ""),
        "charge": id_of("ch", customer, payment.name),
        "message": _failure_message(payment),
        "payment_method": used,
    }


# ---- what goes back --------------------------------------------------------------------------------------------


def _refund(frame: Frame, customer: Customer, payment: Payment, refund: Refund) -> Json:
    told: Json = {
        "id": id_of("re", customer, refund.name),
        "object": "refund",
        "amount": refund.money.amount,
        "balance_transaction": None,
        "charge": id_of("ch", customer, payment.name),
        "created": frame.at(refund.at),
        "currency": refund.money.currency,
        "customer": cus(customer),
        "destination_details": _destination(payment.method, refund),
        "metadata": {},
        "payment_intent": id_of("pi", customer, payment.purchase),
        "reason": refund.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": refund.state,
        "transfer_reversal": None,
    }
    if refund.failed is not None:
        told |= {"failure_reason": refund.failed, "failure_balance_transaction": None}
    if refund.waits is not None:
        told |= {"pending_reason": refund.waits}
    return told


def _destination(method: Method, refund: Refund) -> Json:
    if method.kind != "card":
        return {"type": method.kind, method.kind: {}}
    kind = "reversal" if refund.reversal else "pending" if refund.state == "pending" else "refund"
    known = refund.trace not in ("pending", "unavailable")
    status = "unavailable" if refund.reversal or refund.failed else "available" if known else refund.trace
    card: Json = {"reference_status": status, "reference_type": "acquirer_reference_number", "type": kind}
    if status == "available":
        card["reference"] = refund.trace
    return {"type": "card", "card": card}


def _dispute(frame: Frame, customer: Customer, payment: Payment, dispute: Dispute) -> Json:
    inquiry = dispute.state.startswith("warning_")
    answered = dispute.state in ("under_review", "won", "warning_under_review")
    network = payment.method.brand or payment.method.kind
    code = "10.4" if dispute.reason == "fraudulent" else "13.1"
    kind = "inquiry" if inquiry else "chargeback"
    return {
        "id": id_of("du", customer, payment.name),
        "object": "dispute",
        "amount": dispute.money.amount,
        "balance_transactions": [],
        "charge": id_of("ch", customer, payment.name),
        "created": frame.at(dispute.at),
        "currency": dispute.money.currency,
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": frame.at(dispute.due),
            "enhanced_eligibility": {},
            "has_evidence": answered,
            "past_due": dispute.due < timedelta() and not answered,
            "submission_count": int(answered),
            "submission_method": "manual" if answered else "not_submitted",
        },
        "is_charge_refundable": inquiry and dispute.state != "warning_closed",
        "livemode": False,
        "metadata": {},
        "network_reason_code": code,
        "payment_intent": id_of("pi", customer, payment.purchase),
        "payment_method_details": {
            "type": "card",
            "card": {"brand": network, "case_type": kind, "network": network, "network_reason_code": code},
        },
        "reason": dispute.reason,
        "status": dispute.state,
    }
