"""A provider of payments that a test makes up. Passes the contract suite that `StripePayments` passes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from bot.domain.identity import CustomerRef, CustomerScope, Proof, Provider
from bot.domain.transactions import Dispute, Fact, Found, Invoice, Payment, Refund, Subscription
from bot.errors import Unavailable
from bot.telemetry import count

F = TypeVar("F", Payment, Refund, Invoice, Subscription, Dispute)


@dataclass
class FakePayments:
    """Knows the facts and addresses that were added, and gives a scope its own.

    `down = True`: nothing answers. `complete = False`: there was more than the limit. `smuggled`: facts of anybody that
    come with every answer, as if the provider mixed them up. `asked` keeps (method, whose) of every call.
    """

    down: bool = False
    complete: bool = True
    smuggled: list[Fact] = field(default_factory=list)
    asked: list[tuple[str, tuple[CustomerRef, ...]]] = field(default_factory=list)
    _facts: list[Fact] = field(default_factory=list)
    _addresses: dict[CustomerRef, str] = field(default_factory=dict)

    def add(self, *facts: Fact) -> FakePayments:
        """Add facts; returns itself, so that calls can be chained. One with a known id takes its place."""
        new = {fact.id for fact in facts}
        self._facts = [fact for fact in self._facts if fact.id not in new] + list(facts)
        return self

    def know(self, id: str, email: str) -> CustomerRef:
        """A customer with this address."""
        ref = CustomerRef(Provider.STRIPE, id)
        self._addresses[ref] = email
        return ref

    def forget(self, ref: CustomerRef) -> None:
        """Delete a customer."""
        self._addresses.pop(ref, None)

    async def customers(self, email: str) -> tuple[CustomerRef, ...]:
        self._ask("customers", ())
        # As given and in lower case, like Stripe, which tells "Ana@" from "ana@". Other letters that fold alike (not A
        # to Z) are other mailboxes.
        wanted = {email, email.encode().lower().decode()}
        return tuple(sorted(ref for ref, known in self._addresses.items() if known in wanted))

    async def payments(self, scope: CustomerScope) -> Found[Payment]:
        return self._found("payments", scope, Payment)

    async def refunds(self, scope: CustomerScope) -> Found[Refund]:
        return self._found("refunds", scope, Refund)

    async def invoices(self, scope: CustomerScope) -> Found[Invoice]:
        return self._found("invoices", scope, Invoice)

    async def subscriptions(self, scope: CustomerScope) -> Found[Subscription]:
        return self._found("subscriptions", scope, Subscription)

    async def disputes(self, scope: CustomerScope) -> Found[Dispute]:
        return self._found("disputes", scope, Dispute)

    def _ask(self, method: str, customers: tuple[CustomerRef, ...]) -> None:
        self.asked.append((method, customers))
        if self.down:
            raise Unavailable("stripe")

    def _found(self, method: str, scope: CustomerScope, kind: type[F]) -> Found[F]:
        self._ask(method, scope.customers)
        answered = [fact for fact in self._facts if fact.customer in scope.customers] + self.smuggled
        of_kind = [fact for fact in answered if isinstance(fact, kind)]
        return Found(_newest_first(fact for fact in of_kind if _checked(scope, fact)), self.complete)


def scope_of(*customers: str) -> CustomerScope:
    """The scope of one person who is these customers."""
    refs = tuple(CustomerRef(Provider.STRIPE, one) for one in customers)
    return CustomerScope("T1", "U0ANA", refs, Proof.LINK, datetime(2026, 11, 23, tzinfo=UTC))


def _checked(scope: CustomerScope, fact: Fact) -> bool:
    if scope.holds(fact.customer):
        return True
    count("security", what="foreign_object")
    return False


def _newest_first(facts: Iterable[F]) -> tuple[F, ...]:
    return tuple(sorted(facts, key=_began, reverse=True))


def _began(fact: Fact) -> tuple[object, str]:
    return (fact.started_at if isinstance(fact, Subscription) else fact.created_at, fact.id)
