"""Whose money somebody may see: the only maker of `CustomerScope`.

A specialist links people to customers, or they prove a billing address with a one-time code; by the rule `email` the
address that Slack confirmed is enough for our own people. Address and code go through here in memory alone: what is
kept of them are keyed hashes, and nobody learns from an answer whether an address is known.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.audit import Entry
from bot.domain.identity import CustomerRef, CustomerScope, IdentityRule, Proof
from bot.domain.links import CODE_DIGITS, CODE_LASTS, LINK_LASTS, Code, Contact, Link, address_of, keyed_hash
from bot.domain.redaction import Redacted, redacted
from bot.errors import NotFound, Unavailable
from bot.ports import Clock, Codes, Directory, Links, Mail, Payments, Profile, Profiles
from bot.telemetry import count, register_secret

log = logging.getLogger(__name__)

MOST_LINKED = 20
"""People, and customers, of one link."""
CODE_SUBJECT = "Your code for payment questions"
CODE_TEXT = """\
Somebody who uses our support in Slack asked to see the payments that belong to this address.

If that was you, type this code into the window in Slack: {code}

It works once, for 10 minutes. If it was not you, do nothing and give the code to nobody: without it nothing is shown.
"""
_BY_CODE = redacted("proved the billing address with a code")


class Refusal(StrEnum):
    """Why a specialist's link was not made."""

    NOT_STAFF = "not_staff"
    SELF = "self"
    NO_REASON = "no_reason"
    NO_CUSTOMER = "no_customer"
    NOBODY = "nobody"
    TOO_MANY = "too_many"


class Left(StrEnum):
    """What became of a link that one of its people wished to end. `ENDED`: by their wish, this one or an earlier one.
    `NOT_THEIRS` is said of links that were never made, too."""

    ENDED = "ended"
    BY_SPECIALIST = "by_specialist"
    EXPIRED = "expired"
    BEFORE = "before"
    NOT_THEIRS = "not_theirs"


def random_code() -> str:
    """A fresh code, any of them as likely."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


async def identity_key(codes: Codes) -> bytes:
    """The key of this installation's hashes. Made at the first start, masked in logs."""
    secret = await codes.secret(secrets.token_hex(32))
    register_secret(secret)
    return secret.encode()


class NoMail:
    """Stands where no mail can be sent: implements `bot.ports.Mail` by saying so."""

    async def send(self, to: str, subject: str, text: str) -> None:
        raise Unavailable("mail")


@dataclass(frozen=True, slots=True)
class Identity:
    """Decides who is which customer. `home` is our own team's id."""

    links: Links
    codes: Codes
    profiles: Profiles
    directory: Directory
    payments: Payments
    mail: Mail
    clock: Clock
    key: bytes = field(repr=False)
    home: str
    rule: IdentityRule
    new_code: Callable[[], str] = random_code
    _sending: set[asyncio.Task[None]] = field(default_factory=set, repr=False, compare=False)

    # ---- who they are ------------------------------------------------------------------------------------------

    async def scope(self, team: str, user: str) -> CustomerScope | None:
        """What this person may see; None when they are nobody's customer, as far as is proven. Links come first, the
        e-mail only where there are none. Raises Unavailable: then nobody knows, and nothing may be shown."""
        now = self.clock.now()
        links = [link for link in await self.links.of_person(team, user) if link.live(user, now)]
        if not links and self.rule is not IdentityRule.EMAIL:
            return None
        try:
            profile = await self.profiles.profile(user)
        except NotFound:
            return None
        links = [link for link in links if await self._still(link, user, profile, now)]
        if links:
            customers = {customer for link in links for customer in link.customers}
            return CustomerScope(team, user, tuple(sorted(customers)), links[0].proof, now)
        if self.rule is not IdentityRule.EMAIL:
            return None
        customers = set(await self._by_email(user, profile))
        return CustomerScope(team, user, tuple(sorted(customers)), Proof.EMAIL, now) if customers else None

    async def _still(self, link: Link, user: str, profile: Profile, now: datetime) -> bool:
        """Whether Slack says what it said when the link was made. If not, the link ends for them, for good."""
        contact = link.contact(user)
        if contact is not None and hmac.compare_digest(contact.fingerprint, self._fingerprint(user, profile)):
            return True
        entry = _entry(link, now, "link.ended", "changed", user, f"{link.team}:{user}")
        if await self.links.end(link.id, user, entry):
            count("identity_links_ended")
        return False

    async def _by_email(self, user: str, profile: Profile) -> tuple[CustomerRef, ...]:
        """The customers with the e-mail that Slack confirmed, for our own people who are not staff."""
        address = address_of(profile.email or "") if profile.confirmed else None
        if address is None or not profile.member or profile.team != self.home:
            return ()
        # Staff use our own addresses for trials and test payments; what they see of customers goes another way.
        return () if await self.directory.is_staff(user) else await self.payments.customers(address)

    def _fingerprint(self, user: str, profile: Profile) -> str:
        email = None if profile.email is None else profile.email.strip().casefold()
        return keyed_hash(self.key, "fingerprint", user, email, profile.team, profile.member)

    # ---- one-time codes ----------------------------------------------------------------------------------------

    async def request_code(self, team: str, user: str, address: str) -> None:
        """Send a code to a billing address, if it is one. Says nothing of what was done: limits, addresses that nobody
        has and addresses that are none look alike. Raises Unavailable("stripe")."""
        now = self.clock.now()
        code_id, code = self.clock.new_id("code"), self.new_code()
        hashed = keyed_hash(self.key, "address", address.strip().casefold())
        asked = Code(
            id=code_id,
            team=team,
            user=user,
            address=hashed,
            digest=self._digest(code_id, team, user, hashed, code),
            customers=(),
            asked_at=now,
            expires_at=now + CODE_LASTS,
        )
        if not await self.codes.ask(asked, _code_entry(asked, now, "code.asked", "asked")):
            count("identity_codes_limited")
            return
        to = address_of(address)
        customers = () if to is None else await self.payments.customers(to)
        await self.codes.name(code_id, customers)
        if to is not None and customers:
            # Beside the answer: else it would tell by its time that the address is known.
            task = asyncio.create_task(self._send(to, code))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    async def prove(self, team: str, user: str, code: str) -> Link | None:
        """The link that a right code makes, None for every other one: wrong, too old, used, somebody else's. Raises
        Unavailable("slack"); that costs no try."""
        asked = await self.codes.newest(team, user)
        if asked is None:
            return None
        try:
            profile = await self.profiles.profile(user)
        except NotFound:
            return None
        now = self.clock.now()
        offered = self._digest(asked.id, team, user, asked.address, "".join(code.split()))
        link = Link(
            id=self.clock.new_id("link"),
            team=team,
            channel=None,
            contacts=(Contact(user, self._fingerprint(user, profile)),),
            customers=asked.customers,
            proof=Proof.CODE,
            made_by=user,
            reason=_BY_CODE,
            made_at=now,
            expires_at=now + LINK_LASTS,
        )
        proved = _entry(link, now, "link.made", "made", user, link.whose)
        refused = _code_entry(asked, now, "code.tried", "refused")
        return link if await self.codes.attempt(asked.id, offered, link, proved, refused) else None

    async def settled(self) -> None:
        """Return when no mail is on its way any more: for the end of a process."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    def _digest(self, code_id: str, team: str, user: str, address: str, code: str) -> str:
        return keyed_hash(self.key, "code", code_id, team, user, address, code)

    async def _send(self, to: str, code: str) -> None:
        try:
            await self.mail.send(to, CODE_SUBJECT, CODE_TEXT.format(code=code))
        except Unavailable:
            count("identity_codes_not_sent")
            log.warning("a code could not be mailed: the mail server is not available")

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # Its kind alone: errors of mail name the address.
            log.error("a code could not be mailed: %s", type(error).__name__)

    # ---- specialists' links ------------------------------------------------------------------------------------

    async def link(
        self,
        by: str,
        team: str,
        users: Sequence[str],
        customers: Sequence[CustomerRef],
        reason: Redacted,
        *,
        channel: str | None = None,
    ) -> Link | Refusal:
        """Link a person, or the billing contacts `users` of a `channel`, to customers. The contacts see them wherever
        they ask. Raises Unavailable("slack")."""
        people, theirs = tuple(dict.fromkeys(users)), tuple(dict.fromkeys(customers))
        refusal = await self._refusal(by, people, theirs, reason, channel)
        if refusal is not None:
            return refusal
        try:
            contacts = [Contact(one, self._fingerprint(one, await self.profiles.profile(one))) for one in people]
        except NotFound:
            return Refusal.NOBODY
        now = self.clock.now()
        link = Link(
            id=self.clock.new_id("link"),
            team=team,
            channel=channel,
            contacts=tuple(contacts),
            customers=theirs,
            proof=Proof.LINK,
            made_by=by,
            reason=reason,
            made_at=now,
            expires_at=now + LINK_LASTS,
        )
        await self.links.add(link, _entry(link, now, "link.made", "made", by, link.whose))
        return link

    async def _refusal(
        self, by: str, users: Sequence[str], customers: Sequence[CustomerRef], reason: Redacted, channel: str | None
    ) -> Refusal | None:
        if not await self.directory.is_staff(by):
            return Refusal.NOT_STAFF
        if by in users:
            return Refusal.SELF
        if not reason.strip():
            return Refusal.NO_REASON
        if not customers or not all(one.id.strip() for one in customers):
            return Refusal.NO_CUSTOMER
        if not users:
            return Refusal.NOBODY
        most = 1 if channel is None else MOST_LINKED
        return Refusal.TOO_MANY if len(users) > most or len(customers) > MOST_LINKED else None

    async def live(self, team: str, user: str) -> tuple[Link, ...]:
        """The links that hold for somebody, as far as we know without asking Slack, newest first."""
        now = self.clock.now()
        return tuple(link for link in await self.links.of_person(team, user) if link.live(user, now))

    async def leave(self, team: str, user: str, link_id: str) -> Left:
        """End a link for one of its people, who wishes so: for the others of a channel it goes on."""
        try:
            link = await self.links.get(link_id)
        except NotFound:
            return Left.NOT_THEIRS
        if link.team != team or link.contact(user) is None:
            return Left.NOT_THEIRS
        now = self.clock.now()
        ended = _ended(link, user, now)
        if ended is not None:
            return ended
        entry = _entry(link, now, "link.revoked", "left", user, f"{link.team}:{user}")
        if link.channel is None:
            left = await self.links.revoke(link_id, user, entry)
        else:
            left = await self.links.end(link_id, user, entry)
        # Else somebody was faster.
        return Left.ENDED if left else _ended(await self.links.get(link_id), user, now) or Left.BEFORE

    async def revoke(self, by: str, team: str, link_id: str) -> bool:
        """End a link at once: specialists any, everybody one that is theirs alone. False when nothing was changed.
        Raises Unavailable("slack")."""
        try:
            link = await self.links.get(link_id)
        except NotFound:
            return False
        own = link.channel is None and link.contact(by) is not None
        if link.team != team or not (own or await self.directory.is_staff(by)):
            return False
        entry = _entry(link, self.clock.now(), "link.revoked", "revoked", by, link.whose)
        return await self.links.revoke(link_id, by, entry)


def _ended(link: Link, user: str, now: datetime) -> Left | None:
    """How it ended for this person, None when it has not."""
    if link.revoked_at is not None:
        return Left.ENDED if link.revoked_by == user else Left.BY_SPECIALIST
    contact = link.contact(user)
    if contact is None or contact.ended_at is not None:
        return Left.BEFORE
    return Left.EXPIRED if now >= link.expires_at else None


def _entry(link: Link, at: datetime, kind: str, outcome: str, who: str, for_whom: str) -> Entry:
    objects = (link.id, *(customer.id for customer in link.customers))
    return Entry(at, f"{link.team}:{who}", for_whom, str(link.proof), kind, objects, len(link.customers), outcome)


def _code_entry(code: Code, at: datetime, kind: str, outcome: str) -> Entry:
    person = f"{code.team}:{code.user}"
    return Entry(at, person, person, str(Proof.CODE), kind, (code.id,), 0, outcome)
