"""A server on loopback that answers as Stripe does, or as a test tells it to, and keeps what it was asked.

Lists know `customer`, `charge`, `email`, `ids`, `limit` and `starting_after`; it believes what it was given, so a test
can make it hand out objects of other people.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    target: str
    body: bytes
    headers: dict[str, str]
    params: dict[str, str]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass
class Trick:
    """What the next answers are instead of what is stored. `hang`: none comes until the test is over."""

    status: int = 200
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    times: int = 1
    path: str = "/"


@dataclass
class StripeServer:
    """`objects`: by list name, newest first. `smuggled`: added to every list of that name, whoever asks."""

    url: str = ""
    objects: dict[str, list[Json]] = field(default_factory=dict)
    smuggled: dict[str, list[Json]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    tricks: list[Trick] = field(default_factory=list)
    most_at_once: int = 0
    together: asyncio.Barrier | None = None
    _now: int = 0
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def add(self, name: str, *objects: Json) -> None:
        """Store objects of one list."""
        self.objects.setdefault(name, []).extend(objects)

    def trick(self, status: int = 200, body: str | None = None, **more: Any) -> None:
        """Answer the next request like this; `times=-1`: from now on."""
        self.tricks.append(Trick(status, body, **more))

    async def until_asked(self, number: int) -> None:
        """Wait until this many requests have come."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.asked) >= number)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            params = {name.partition("[")[0]: text for name, text in request.query.items() if name != "ids[0]"}
            ids = [text for name, text in request.query.items() if name.startswith("ids[")]
            body = await request.read()
            self.asked.append(Asked(request.method, request.raw_path, body, dict(request.headers), params))
            async with self._arrived:
                self._arrived.notify_all()
            if self.together is not None:
                await self.together.wait()
            trick = self._trick(request.path)
            if trick is not None:
                return await self._tricked(trick)
            return web.json_response(self._list(request.path.removeprefix("/v1/"), params, ids))
        finally:
            self._now -= 1

    def _trick(self, path: str) -> Trick | None:
        found = next((trick for trick in self.tricks if path.startswith(trick.path)), None)
        if found is not None:
            found.times -= 1
            if found.times == 0:
                self.tricks.remove(found)
        return found

    async def _tricked(self, trick: Trick) -> web.StreamResponse:
        if trick.hang:
            await self._over.wait()
        text = '{"error": {"message": "no"}}' if trick.body is None else trick.body
        return web.Response(status=trick.status, text=text, headers=trick.headers, content_type="application/json")

    def _list(self, name: str, params: dict[str, str], ids: list[str]) -> Json:
        found = list(self.objects.get(name, []))
        for wanted in ("customer", "charge", "email"):
            if wanted in params:
                found = [one for one in found if one.get(wanted) == params[wanted]]
        if ids:
            found = [one for one in found if one.get("id") in ids]
        if "starting_after" in params:
            place = [one.get("id") for one in found].index(params["starting_after"])
            found = found[place + 1 :]
        limit = int(params.get("limit", "10"))
        data = found[:limit] + self.smuggled.get(name, [])
        return {"object": "list", "data": data, "has_more": len(found) > limit, "url": f"/v1/{name}"}


@asynccontextmanager
async def stripe_server(on: Callable[[StripeServer], None] = lambda _: None) -> AsyncIterator[StripeServer]:
    """A running server, stopped at the end."""
    fake = StripeServer()
    on(fake)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", fake.answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(access_log=None)
    fake.url = f"http://127.0.0.1:{server.port}"
    try:
        yield fake
    finally:
        fake._over.set()
        await server.close()


# ---- objects ---------------------------------------------------------------------------------------------------

AT = 1_772_000_000
"""A day in February 2026."""


def charge(id: str = "ch_1", customer: str | None = "cus_ana", **more: Any) -> Json:
    """A card payment of 49.00 that went well."""
    return {
        "id": id,
        "object": "charge",
        "customer": customer,
        "amount": 4900,
        "amount_captured": 4900,
        "amount_refunded": 0,
        "currency": "eur",
        "captured": True,
        "created": AT,
        "description": "Team plan",
        "disputed": False,
        "outcome": {"type": "authorized", "network_status": "approved_by_network", "reason": None},
        "payment_intent": f"pi_{id}",
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242", "wallet": None}},
        "receipt_url": "https://pay.stripe.com/receipts/1",
        "refunded": False,
        "refunds": {"object": "list", "data": [], "has_more": False},
        "calculated_statement_descriptor": "ACME",
        "status": "succeeded",
    } | more


def refund(id: str = "re_1", charge: str = "ch_1", **more: Any) -> Json:
    """One that was handed to the bank, with a trace number."""
    card = {"type": "refund", "reference": "74900012345678901234567", "reference_status": "available"}
    return {
        "id": id,
        "object": "refund",
        "charge": charge,
        "amount": 4900,
        "currency": "eur",
        "created": AT + 60,
        "status": "succeeded",
        "destination_details": {"type": "card", "card": card},
    } | more


def invoice(id: str = "in_1", customer: str = "cus_ana", **more: Any) -> Json:
    """One that is open and due."""
    return {
        "id": id,
        "object": "invoice",
        "customer": customer,
        "number": "ACME-0001",
        "currency": "eur",
        "total": 4900,
        "amount_due": 4900,
        "amount_remaining": 4900,
        "status": "open",
        "created": AT,
        "due_date": AT + 14 * 86400,
        "attempt_count": 1,
        "next_payment_attempt": AT + 86400,
        "hosted_invoice_url": "https://invoice.stripe.com/i/1",
        "status_transitions": {"finalized_at": AT},
    } | more


def item(product: str = "prod_team", **more: Any) -> Json:
    """An item of a subscription: 49.00 a month."""
    price = {
        "id": "price_1",
        "currency": "eur",
        "unit_amount": 4900,
        "product": product,
        "recurring": {"interval": "month", "interval_count": 1},
    }
    return {"id": "si_1", "quantity": 2, "current_period_end": AT + 30 * 86400, "price": price} | more


def subscription(id: str = "sub_1", customer: str = "cus_ana", **more: Any) -> Json:
    """Two seats of a monthly plan."""
    return {
        "id": id,
        "object": "subscription",
        "customer": customer,
        "status": "active",
        "created": AT,
        "start_date": AT,
        "cancel_at_period_end": False,
        "items": {"object": "list", "data": [item()]},
    } | more


def dispute(id: str = "du_1", charge: str = "ch_1", **more: Any) -> Json:
    """One that waits for an answer."""
    return {
        "id": id,
        "object": "dispute",
        "charge": charge,
        "amount": 4900,
        "currency": "eur",
        "created": AT + 120,
        "status": "needs_response",
        "is_charge_refundable": False,
        "evidence_details": {"due_by": AT + 9 * 86400},
    } | more


def customer(id: str, email: str | None, **more: Any) -> Json:
    """Somebody the merchant knows."""
    return {"id": id, "object": "customer", "email": email, "created": AT} | more
