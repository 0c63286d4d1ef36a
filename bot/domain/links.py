"""Links between people in Slack and a provider's customers, and the codes by which people prove an address.

Does not interact with any dependencies, only processes data. Time that runs backwards opens nothing again: what was
made in the future is not live, but for a minute, by which the clocks of two machines may differ.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.identity import CustomerRef, Proof
from bot.domain.redaction import Redacted

LINK_LASTS: Final = timedelta(days=90)
CODE_LASTS: Final = timedelta(minutes=10)
CODE_DIGITS: Final = 6
TRIES: Final = 5
SKEW: Final = timedelta(minutes=1)

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_MOST = 254
"""Characters of an e-mail address."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many codes within a time."""

    most: int
    within: timedelta


BY_ASKER: Final = Limit(3, timedelta(hours=1))
BY_ADDRESS: Final = Limit(5, timedelta(days=1))
IN_ALL: Final = Limit(200, timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Contact:
    """A person of a link. `fingerprint` stands for what Slack said about them when it was made; once Slack says
    something else, the link has `ended_at` that time for them, for good."""

    user: str
    fingerprint: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """People who may see these customers' records: one person, or the billing contacts named for a `channel`.
    `made_by` is the specialist, or the person who proved an address with a code."""

    id: str
    team: str
    channel: str | None
    contacts: tuple[Contact, ...]
    customers: tuple[CustomerRef, ...]
    proof: Proof
    made_by: str
    reason: Redacted
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    @property
    def whose(self) -> str:
        """The channel or the person, with the team, as the audit log names them."""
        return f"{self.team}:{self.channel or self.contacts[0].user}"

    def contact(self, user: str) -> Contact | None:
        """This person of the link, None when they are none of it."""
        return next((contact for contact in self.contacts if contact.user == user), None)

    def live(self, user: str, now: datetime) -> bool:
        """Whether it holds for this person, as far as we know without asking Slack."""
        contact = self.contact(user)
        if contact is None or contact.ended_at is not None or self.revoked_at is not None:
            return False
        return self.made_at - SKEW <= now < self.expires_at


@dataclass(frozen=True, slots=True)
class Code:
    """A code that somebody asked for: neither it nor the address is kept, only keyed hashes. `customers` is empty
    until the address was looked up, and stays so for an address that is nobody's."""

    id: str
    team: str
    user: str
    address: str
    digest: str
    customers: tuple[CustomerRef, ...]
    asked_at: datetime
    expires_at: datetime
    tries: int = 0
    closed_at: datetime | None = None

    def open(self, now: datetime) -> bool:
        """Whether it may still be tried."""
        in_time = self.asked_at - SKEW <= now < self.expires_at
        return self.closed_at is None and self.tries < TRIES and in_time

    def fits(self, offered: str, now: datetime) -> bool:
        """Whether `offered` (a digest) proves the address. As slow when it does not."""
        same = hmac.compare_digest(self.digest, offered)
        return same and bool(self.customers) and self.open(now)


def keyed_hash(key: bytes, purpose: str, *parts: str | bool | None) -> str:
    """HMAC-SHA256, in hex. `purpose` keeps hashes of different things apart."""
    return hmac.new(key, json.dumps([purpose, *parts]).encode(), hashlib.sha256).hexdigest()


def address_of(text: str) -> str | None:
    """One e-mail address, None when it is none that we send to.

    ASCII alone: `ß` folds to `ss`, so whoever owns one domain could prove another; and one address a text, without
    what ends a mail's header.
    """
    text = text.strip()
    return text if len(text) <= _MOST and _ADDRESS.fullmatch(text) else None
