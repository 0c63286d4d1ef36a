"""Whose money may be shown to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Provider(StrEnum):
    """Where payments are kept."""

    STRIPE = "stripe"


class IdentityRule(StrEnum):
    """`linked`: a specialist linked them, or they proved an e-mail with a code. `email`: also the confirmed e-mail of a
    full, active member of our own team."""

    LINKED = "linked"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, order=True)
class CustomerRef:
    """A customer as a provider knows them, such as `cus_…`."""

    provider: Provider
    id: str


class Proof(StrEnum):
    """Why a scope was given."""

    LINK = "link"
    CODE = "code"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class CustomerScope:
    """Proof that a Slack user is certain provider customers. Made by `bot.services.identity` alone, for the author of
    the message that asked; whoever reads money takes one. Never empty."""

    team: str
    user: str
    customers: tuple[CustomerRef, ...]
    proof: Proof
    at: datetime

    def holds(self, customer: CustomerRef) -> bool:
        """Whether this customer's objects may be shown."""
        return customer in self.customers
