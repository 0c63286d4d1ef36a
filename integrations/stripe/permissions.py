"""What a key may read, found by trying: nothing public tells a key's permissions."""

from __future__ import annotations

from typing import Final

import stripe

from integrations.stripe.reading import Garbled, Trouble, side_by_side, troubled
from integrations.stripe.readonly import ReadOnlyClient

NEEDED: Final = (
    "charges",
    "customers",
    "disputes",
    "invoices",
    "payment_intents",
    "products",
    "refunds",
    "subscriptions",
)
"""The lists that look-ups read."""

SECONDS: Final = 10.0


async def lacking(key: str, base_url: str, *, allow_secret_key: bool = False) -> tuple[str, ...] | Trouble:
    """The permissions that the key lacks, as Stripe calls them (`rak_charge_read`), or why that is not known. One
    object at most is asked for of each list. Raises SettingsError."""
    http = ReadOnlyClient(key, base_url, allow_secret=allow_secret_key)
    client = stripe.StripeClient(key, base_addresses={"api": http.origin}, http_client=http, max_network_retries=0)
    try:
        tried = await troubled(side_by_side(_lacking(client, name) for name in NEEDED), SECONDS)
    finally:
        await http.close_async()
    if isinstance(tried, Trouble):
        return tried
    return tuple(sorted({name for names in tried for name in names}))


async def _lacking(client: stripe.StripeClient, name: str) -> list[str]:
    """Raises StripeError, Garbled."""
    try:
        answer = await client.raw_request_async("get", f"/v1/{name}", limit=1)
    except stripe.PermissionError as error:
        return (error.user_message or "").split() or [f"reading of {name}"]
    if not isinstance(answer.data, dict) or not isinstance(answer.data.get("data"), list):
        raise Garbled
    return []
