"""What the story tells of customers, plans and bills, as Stripe's objects.

Shapes are those of API 2026-10-28 (docs.stripe.com/api). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from integrations.stripe.sandbox_charges import Frame, Json, cus, id_of
from integrations.stripe.sandbox_story import Customer, Invoice, Payment, Plan, Story, Subscription

_CUSTOMER_EMPTY: Final = ("address", "default_source", "description", "discount", "phone", "shipping", "test_clock")
_INVOICE_EMPTY: Final = (
    *("account_country", "account_name", "account_tax_ids", "application", "automatically_finalizes_at"),
    *("custom_fields", "customer_address", "customer_phone", "customer_shipping", "customer_tax_ids"),
    *("default_payment_method", "default_source", "footer", "from_invoice", "last_finalization_error"),
    *("latest_revision", "on_behalf_of", "receipt_number", "rendering", "shipping_cost", "shipping_details"),
    *("statement_descriptor", "test_clock", "threshold_reason", "webhooks_delivered_at"),
)
_SUBSCRIPTION_EMPTY: Final = (
    *("application", "application_fee_percent", "billing_thresholds", "days_until_due", "default_payment_method"),
    *("default_source", "description", "next_pending_invoice_item_invoice", "on_behalf_of", "pause_collection"),
    *("pending_invoice_item_interval", "pending_setup_intent", "pending_update", "schedule", "test_clock"),
    *("transfer_data", "trial_settings"),
)
_LONG_AGO: Final = timedelta(days=-700)


def product(frame: Frame, plan: Plan) -> Json:
    return {
        "id": f"prod_sandbox_{plan.name}",
        "object": "product",
        "active": True,
        "created": frame.at(_LONG_AGO),
        "default_price": f"price_sandbox_{plan.name}",
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": plan.title,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": frame.at(_LONG_AGO),
        "url": None,
    }


def price(frame: Frame, plan: Plan) -> Json:
    return {
        "id": f"price_sandbox_{plan.name}",
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": frame.at(_LONG_AGO),
        "currency": plan.price.currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": f"prod_sandbox_{plan.name}",
        "recurring": {
            "interval": plan.interval,
            "interval_count": plan.count,
            "meter": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": plan.price.amount,
        "unit_amount_decimal": str(plan.price.amount),
    }


def customer(frame: Frame, one: Customer) -> Json:
    """A deleted one is only a note that it was there."""
    if one.deleted:
        return {"id": cus(one), "object": "customer", "deleted": True}
    return dict.fromkeys(_CUSTOMER_EMPTY) | {
        "id": cus(one),
        "object": "customer",
        "balance": 0,
        "created": frame.at(one.since),
        "currency": one.payments[0].money.currency if one.payments else None,
        "delinquent": any(bill.state == "open" and bill.tried for bill in one.invoices),
        "email": one.email,
        "invoice_prefix": f"ACME{one.name.upper()}"[:12],
        "invoice_settings": dict.fromkeys(
            ("custom_fields", "default_payment_method", "footer", "rendering_options")  # none of them is set
        ),
        "livemode": False,
        "metadata": {},
        "name": one.called,
        "next_invoice_sequence": len(one.invoices) + 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    }


# ---- subscriptions ---------------------------------------------------------------------------------------------


def subscriptions(frame: Frame, story: Story, customer: Customer) -> Iterator[Json]:
    return (_subscription(frame, story.plans[one.plan], customer, one) for one in customer.subscriptions)


def _subscription(frame: Frame, plan: Plan, customer: Customer, one: Subscription) -> Json:
    bills = sorted((bill for bill in customer.invoices if bill.subscription == one.name), key=lambda bill: bill.at)
    cancelled = frame.maybe(one.ended) if not one.ends else frame.at(one.started)
    return dict.fromkeys(_SUBSCRIPTION_EMPTY) | {
        "id": id_of("sub", customer, one.name),
        "object": "subscription",
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": frame.at(one.started),
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "billing_schedules": [],
        "cancel_at": frame.at(one.renews) if one.ends else None,
        "cancel_at_period_end": one.ends,
        "canceled_at": cancelled,
        "cancellation_details": {
            "comment": None,
            "feedback": None,
            "reason": "cancellation_requested" if one.ends or one.ended is not None else None,
        },
        "collection_method": "charge_automatically",
        "created": frame.at(one.started),
        "currency": plan.price.currency,
        "customer": cus(customer),
        "default_tax_rates": [],
        "discounts": [],
        "ended_at": frame.maybe(one.ended),
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": _items(frame, plan, customer, one),
        "latest_invoice": id_of("in", customer, bills[-1].name) if bills else None,
        "livemode": False,
        "metadata": {},
        "payment_settings": {"payment_method_options": None, "payment_method_types": None},
        "start_date": frame.at(one.started),
        "status": one.state,
        "trial_end": frame.maybe(one.trial_until),
        "trial_start": frame.at(one.started) if one.trial_until is not None else None,
    }


def _items(frame: Frame, plan: Plan, customer: Customer, one: Subscription) -> Json:
    """A list with one item: since 2025 it is the item that has the period."""
    days = {"day": 1, "week": 7, "month": 30, "year": 365}[plan.interval] * plan.count
    began = one.started if one.trial_until is not None else max(one.started, one.renews - timedelta(days=days))
    item: Json = {
        "id": id_of("si", customer, one.name),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": frame.at(one.started),
        "current_period_end": frame.at(one.renews),
        "current_period_start": frame.at(began),
        "discounts": [],
        "metadata": {},
        "price": price(frame, plan),
        "quantity": one.quantity,
        "subscription": id_of("sub", customer, one.name),
        "tax_rates": [],
    }
    url = f"/v1/subscription_items?subscription={item['subscription']}"
    return {"object": "list", "data": [item], "has_more": False, "total_count": 1, "url": url}


# ---- invoices --------------------------------------------------------------------------------------------------


def invoices(frame: Frame, customer: Customer) -> Iterator[Json]:
    return (_invoice(frame, customer, one) for one in customer.invoices)


def invoice_payments(frame: Frame, customer: Customer) -> Iterator[Json]:
    """Which payment paid which invoice, or is to pay it: an invoice does not say so itself."""
    payments = {one.name: one for one in customer.payments}
    for bill in customer.invoices:
        name = bill.paid_by or next(iter(bill.tried[-1:]), None)
        if name is not None:
            yield _invoice_payment(frame, customer, bill, payments[name])


def _invoice(frame: Frame, customer: Customer, one: Invoice) -> Json:
    invoice = id_of("in", customer, one.name)
    draft = one.state == "draft"
    total = one.total.amount
    return (
        _same()
        | _amounts(total, total if one.state == "paid" else 0)
        | {
            "id": invoice,
            "attempt_count": len(one.tried) + (one.paid_by is not None),
            "attempted": bool(one.tried) or one.paid_by is not None,
            "auto_advance": one.state in ("draft", "open"),
            "billing_reason": "subscription_cycle" if one.subscription else "manual",
            "collection_method": "send_invoice" if one.due is not None else "charge_automatically",
            "created": frame.at(one.at),
            "currency": one.total.currency,
            "customer": cus(customer),
            "customer_email": customer.email,
            "customer_name": customer.called,
            "description": one.text,
            "due_date": frame.maybe(one.due),
            "effective_at": None if draft else frame.at(one.at),
            "hosted_invoice_url": None if draft else f"{frame.url}/invoices/{invoice}",
            "invoice_pdf": None if draft else f"{frame.url}/invoices/{invoice}",
            "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{invoice}/lines"},
            "next_payment_attempt": frame.maybe(one.next_attempt),
            "number": None if draft else one.number,
            "parent": _parent(customer, one),
            "period_end": frame.at(one.at),
            "period_start": frame.at(one.at),
            "status": one.state,
            "status_transitions": _transitions(frame, one),
        }
    )


def _same() -> Json:
    """What all invoices here have alike."""
    return dict.fromkeys(_INVOICE_EMPTY) | {
        "object": "invoice",
        "automatic_tax": dict.fromkeys(("disabled_reason", "liability", "provider", "status")) | {"enabled": False},
        "customer_tax_exempt": "none",
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
    }


def _amounts(total: int, paid: int) -> Json:
    none = ("amount_overpaid", "amount_shipping", "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount")
    return dict.fromkeys((*none, "starting_balance", "ending_balance"), 0) | {
        "amount_due": total,
        "amount_paid": paid,
        "amount_remaining": total - paid,
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }


def _parent(customer: Customer, one: Invoice) -> Json | None:
    if one.subscription is None:
        return None
    subscription = id_of("sub", customer, one.subscription)
    details: Json = {"metadata": {}, "subscription": subscription, "subscription_proration_date": None}
    return {"type": "subscription_details", "quote_details": None, "subscription_details": details}


def _transitions(frame: Frame, one: Invoice) -> Json:
    at = frame.at(one.at)
    return {
        "finalized_at": None if one.state == "draft" else at,
        "marked_uncollectible_at": at if one.state == "uncollectible" else None,
        "paid_at": at if one.state == "paid" else None,
        "voided_at": at if one.state == "void" else None,
    }


def _invoice_payment(frame: Frame, customer: Customer, bill: Invoice, payment: Payment) -> Json:
    paid = bill.state == "paid"
    return {
        "id": id_of("inpay", customer, bill.name),
        "object": "invoice_payment",
        "amount_paid": bill.total.amount if paid else None,
        "amount_requested": bill.total.amount,
        "created": frame.at(bill.at),
        "currency": bill.total.currency,
        "invoice": id_of("in", customer, bill.name),
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": id_of("pi", customer, payment.purchase)},
        "status": "paid" if paid else "open" if bill.state == "open" else "canceled",
        "status_transitions": {"canceled_at": None, "paid_at": frame.at(bill.at) if paid else None},
    }
