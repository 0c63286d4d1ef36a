"""The pages that receipts and invoices of the sandbox link to. As with Stripe, they open for whoever has the link."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Final

from bot.domain.money import Money
from integrations.stripe.sandbox_charges import Json

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STYLE: Final = "body{font:16px system-ui,sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem}dt{color:#666}"


def receipt(charge: Json) -> str:
    """Of a payment."""
    return _page("Receipt", charge, charge["amount"])


def bill(invoice: Json) -> str:
    """Of an invoice."""
    return _page(f"Invoice {invoice['number'] or ''}".strip(), invoice, invoice["total"])


def _page(title: str, about: Json, amount: int) -> str:
    money = Money(amount, about["currency"])
    rows = {
        "Amount": f"{money.decimal:.{money.exponent}f} {money.currency.upper()}",
        "Date": f"{datetime.fromtimestamp(about['created'], UTC):%d %B %Y} (UTC)",
        "State": str(about["status"]),
        "For": str(about["description"] or ""),
        "Number": str(about["id"]),
    }
    list_ = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows.items() if text)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1><p>Acme, made up for the sandbox.</p><dl>{list_}</dl></html>"
    )
