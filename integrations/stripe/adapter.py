"""Payments from Stripe, for reading only.

Each method asks for all customers of a scope side by side, makes at most three requests in a row, and has ten seconds.
A list is cut at 300 objects of a customer; where what was asked for hangs on a customer's charges (refunds, disputes)
or needs names (subscriptions), at the first 200. A key needs to read charges (refunds are among them), payment
intents, customers, invoices, subscriptions, products and disputes.

Importing this imports `stripe` (0.2 s): import it where payments are wired, not at the top.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, TypeVar

import stripe

from bot.domain.identity import CustomerRef, CustomerScope, Provider
from bot.domain.transactions import Dispute, Found, Invoice, Payment, Refund, Subscription
from bot.errors import Unavailable
from bot.ports import Clock
from bot.telemetry import count, register_secret
from integrations.stripe import mapping
from integrations.stripe.breaker import Breaker
from integrations.stripe.fields import Json
from integrations.stripe.reading import Page, Reading, Trouble, facts, foreign, ours, side_by_side, troubled
from integrations.stripe.readonly import ReadOnlyClient

log = logging.getLogger(__name__)

IN_A_ROW: Final = 3
BUDGET: Final = 10.0
"""Seconds of a method, waiting included."""
MAX_EMAIL: Final = 320

T = TypeVar("T")
F = TypeVar("F", Payment, Refund, Invoice, Subscription, Dispute)


class StripePayments:
    """Fulfils `bot.ports.Payments`. `close` when done. Raises SettingsError for a key or an address that may not be
    used; a secret key only passes with `allow_secret_key`, and a warning."""

    def __init__(
        self, key: str, base_url: str, clock: Clock, *, allow_secret_key: bool = False, budget: float = BUDGET
    ) -> None:
        register_secret(key)
        self._http = ReadOnlyClient(key, base_url, allow_secret=allow_secret_key)
        self._client = stripe.StripeClient(
            key, base_addresses={"api": self._http.origin}, http_client=self._http, max_network_retries=0
        )
        self._clock = clock
        self._budget = budget
        self._breaker = Breaker(clock)
        if key.startswith("sk_"):
            log.warning(
                "STRIPE_API_KEY is a secret key. Handrail only reads, but whoever gets it can change everything."
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()

    # ---- the port ----------------------------------------------------------------------------------------------

    async def customers(self, email: str) -> tuple[CustomerRef, ...]:
        """Exactly this address but for the case of A to Z: other letters that fold alike are other mailboxes."""
        if "@" not in email or len(email) > MAX_EMAIL or not email.isprintable():
            return ()
        pages = await self._read(
            "customers",
            lambda look: side_by_side(
                look.pages("customers", IN_A_ROW, email=asked) for asked in sorted({email, lowered(email)})
            ),
        )
        found: set[CustomerRef] = set()
        for data in (data for page in pages for data in page.objects):
            known = data.get("email")
            if not isinstance(known, str) or lowered(known) != lowered(email):
                foreign(data)
            elif data.get("deleted") is not True and (ref := mapping.customer(data)) is not None:
                found.add(ref)
        return tuple(sorted(found))

    async def payments(self, scope: CustomerScope) -> Found[Payment]:
        """Charges, and purchases that failed before there was one."""

        async def of(look: Reading, customer: str) -> Found[Payment]:
            charges, intents = await side_by_side(
                look.pages(path, IN_A_ROW, customer=customer) for path in ("charges", "payment_intents")
            )
            found = (
                facts("charge", ours(scope, charges.objects), mapping.payment),
                facts("payment_intent", ours(scope, intents.objects), mapping.failed_intent),
            )
            return _all(found, charges, intents)

        return await self._of(scope, "payments", of)

    async def refunds(self, scope: CustomerScope) -> Found[Refund]:
        """Stripe lists no refunds of a customer: they come with the charges, the ten newest of each; of a charge that
        has more they are listed, if that is not a fourth request."""

        async def of(look: Reading, customer: str) -> Found[Refund]:
            pages = await look.pages("charges", IN_A_ROW - 1, customer=customer, expand=["data.refunds"])
            charges = ours(scope, pages.objects)
            more = [charge for charge in charges if _has_more(charge)]
            listed = await side_by_side(look.page("refunds", charge=charge["id"]) for charge in more)
            rest = dict(zip((charge["id"] for charge in more), listed, strict=True))
            found = []
            for charge in charges:
                refunds = rest[charge["id"]].objects if charge["id"] in rest else _expanded(charge)
                found.append(of_charge("refund", charge, refunds, mapping.refund))
            return _all(found, pages, *listed)

        return await self._of(scope, "refunds", of)

    async def invoices(self, scope: CustomerScope) -> Found[Invoice]:
        async def of(look: Reading, customer: str) -> Found[Invoice]:
            page = await look.pages("invoices", IN_A_ROW, customer=customer)
            found = facts("invoice", ours(scope, page.objects), lambda data: mapping.invoice(data, look.now))
            return _all([found], page)

        return await self._of(scope, "invoices", of)

    async def subscriptions(self, scope: CustomerScope) -> Found[Subscription]:
        """Ended ones too. The names of plans are their products'."""

        async def of(look: Reading, customer: str) -> Found[Subscription]:
            page = await look.pages("subscriptions", IN_A_ROW - 1, customer=customer, status="all")
            mine = ours(scope, page.objects)
            wanted = sorted({name for data in mine for name in mapping.product_ids(data)})[:100]
            products = (await look.page("products", ids=wanted)).objects if wanted else ()
            names = {str(product.get("id")): str(product.get("name") or "") for product in products}
            found = facts("subscription", mine, lambda data: mapping.subscription(data, names))
            return _all([found], page)

        return await self._of(scope, "subscriptions", of)

    async def disputes(self, scope: CustomerScope) -> Found[Dispute]:
        """Stripe lists no disputes of a customer: those of the charges that are marked as disputed are asked for."""

        async def of(look: Reading, customer: str) -> Found[Dispute]:
            pages = await look.pages("charges", IN_A_ROW - 1, customer=customer)
            charges = [one for one in ours(scope, pages.objects) if one.get("disputed") is True]
            listed = await side_by_side(look.page("disputes", charge=one["id"]) for one in charges)
            found = [
                of_charge("dispute", charge, page.objects, mapping.dispute)
                for charge, page in zip(charges, listed, strict=True)
            ]
            return _all(found, pages, *listed)

        return await self._of(scope, "disputes", of)

    # ---- inside ------------------------------------------------------------------------------------------------

    async def _of(
        self, scope: CustomerScope, what: str, of: Callable[[Reading, str], Coroutine[Any, Any, Found[F]]]
    ) -> Found[F]:
        """All customers of the scope side by side, each object once, newest first."""
        customers = [ref.id for ref in scope.customers if ref.provider is Provider.STRIPE and ref.id]
        parts = await self._read(what, lambda look: side_by_side(of(look, customer) for customer in customers))
        once = {fact.id: fact for part in parts for fact in part.facts}
        return Found(
            tuple(sorted(once.values(), key=_began, reverse=True)),
            all(part.complete for part in parts),
        )

    async def _read(self, what: str, work: Callable[[Reading], Awaitable[T]]) -> T:
        """Run `work` in its budget, unless Stripe is left alone now. Raises Unavailable, with nothing of the cause."""
        if not self._breaker.admits():
            count("stripe_unavailable", what=what, why="resting")
            raise Unavailable("stripe")
        until = asyncio.get_running_loop().time() + self._budget
        look = Reading(self._client, self._clock, until, self._clock.now())
        ended = False
        try:
            found = await troubled(work(look), self._budget)
            ended = True
        finally:
            if not ended:
                self._breaker.abandoned()
        if not isinstance(found, Trouble):
            self._breaker.worked()
            return found
        if not found.down:
            self._breaker.worked()
        elif self._breaker.failed():
            log.warning("Stripe failed several times in a row: it is left alone for %s", self._breaker.rest)
        count("stripe_unavailable", what=what, why="down" if found.down else "refused")
        log.warning("Stripe could not be read (%s): %s", what, found.text)
        raise Unavailable("stripe")


def of_charge(kind: str, charge: Json, objects: Sequence[Json], mapped: Callable[[Json, Json], F]) -> Found[F]:
    """What belongs to a charge of ours. Another charge's may be anybody's."""
    mine = []
    for data in objects:
        if mapping.belongs(data, charge):
            mine.append(data)
        else:
            foreign(data)
    return facts(kind, mine, lambda data: mapped(data, charge))


def _all(found: Iterable[Found[F]], *pages: Page) -> Found[F]:
    """Several finds as one, which is complete when everything was read, and understood."""
    several = tuple(found)
    whole = all(one.complete for one in several) and all(page.complete for page in pages)
    return Found(tuple(fact for one in several for fact in one.facts), whole)


def lowered(email: str) -> str:
    """With A to Z in lower case, and nothing else changed."""
    return email.encode().lower().decode()


def _expanded(charge: Json) -> list[Json]:
    refunds = charge.get("refunds")
    listed = refunds.get("data") if isinstance(refunds, dict) else None
    return [data for data in listed if isinstance(data, dict)] if isinstance(listed, list) else []


def _has_more(charge: Json) -> bool:
    refunds = charge.get("refunds")
    return isinstance(refunds, dict) and refunds.get("has_more") is True


def _began(fact: Payment | Refund | Invoice | Subscription | Dispute) -> tuple[object, str]:
    return (fact.started_at if isinstance(fact, Subscription) else fact.created_at, fact.id)
