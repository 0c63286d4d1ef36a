"""What Stripe answers instead of what was asked for (docs.stripe.com/api/errors), and faults that can be ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Json = dict[str, Any]

Ill = Literal["slow", "error", "half", "drop", "busy", "locked"]
"""slow: after `seconds`. error: 500. half: an answer that breaks off. drop: no answer, the connection is closed (many
clients ask once more). busy: 429, too many requests. locked: 429, something else is at the object."""

DOCS: Final = "https://docs.stripe.com/error-codes"
READS: Final[Mapping[str, str]] = {
    "charges": "charge",
    "customers": "customer",
    "disputes": "dispute",
    "invoice_payments": "invoice",
    "invoices": "invoice",
    "payment_intents": "payment_intent",
    "prices": "plan",
    "products": "product",
    "refunds": "charge",
    "subscriptions": "subscription",
}
"""The permission that a list, or one object of it, needs. Refunds go with charges, prices with plans."""


@dataclass(slots=True)
class Fault:
    """What the next `times` requests below `path` meet; -1: all."""

    ill: Ill
    path: str = "/"
    times: int = 1
    seconds: float = 0.0


class Refusal(Exception):
    """An answer with an error in it: HTTP status and Stripe's fields."""

    def __init__(self, status: int, message: str, **fields: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers: Mapping[str, str] = {}
        self.body: Json = {"error": {"message": message, "type": "invalid_request_error"} | fields}


def no_key() -> Refusal:
    return Refusal(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
        "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    )


def bad_key(key: str) -> Refusal:
    """With as little of the key as Stripe itself shows."""
    return Refusal(401, f"Invalid API Key provided: {_hidden(key)}")


def not_allowed(key: str, permission: str) -> Refusal:
    """`permission` such as rak_charge_read."""
    return Refusal(
        403,
        f"The provided key '{_hidden(key)}' does not have the required permissions for this endpoint on account "
        f"'acct_sandbox'. Having the '{permission}' permission would allow this request to continue.",
    )


def missing(kind: str, id: str, param: str, status: int = 404) -> Refusal:
    """`kind` such as charge; 404 for an object, 400 where it stands in a parameter."""
    return Refusal(
        status, f"No such {kind}: '{id}'", code="resource_missing", doc_url=f"{DOCS}/resource-missing", param=param
    )


def unrecognised(method: str, path: str) -> Refusal:
    return Refusal(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
    )


def unknown_parameter(name: str) -> Refusal:
    return Refusal(
        400,
        f"Received unknown parameter: {name}",
        code="parameter_unknown",
        doc_url=f"{DOCS}/parameter-unknown",
        param=name,
    )


def bad_parameter(name: str, message: str, code: str = "parameter_invalid_integer") -> Refusal:
    return Refusal(400, message, code=code, doc_url=f"{DOCS}/{code.replace('_', '-')}", param=name)


def busy() -> Refusal:
    refusal = Refusal(
        429,
        "Request rate limit exceeded. You can learn more about rate limits here https://docs.stripe.com/rate-limits.",
        code="rate_limit",
        doc_url=f"{DOCS}/rate-limit",
    )
    refusal.headers = {"Stripe-Rate-Limited-Reason": "global-rate"}
    return refusal


def locked() -> Refusal:
    return Refusal(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is currently accessing "
        "it. If you see this error intermittently, retry the request.",
        code="lock_timeout",
        doc_url=f"{DOCS}/lock-timeout",
    )


def broken() -> Refusal:
    return Refusal(500, "An unknown error occurred.", type="api_error")


def _hidden(key: str) -> str:
    return f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}" if len(key) > 12 else "*" * len(key)
