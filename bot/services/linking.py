"""Specialists link people to customers, and end links; a case's thread tells who did it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.cases import Handoff
from bot.domain.identity import CustomerRef
from bot.domain.links import Link
from bot.domain.outbox import Changes, Post, Say
from bot.domain.redaction import Redacted, redacted
from bot.domain.replies import Address, Note
from bot.errors import NotFound, Unavailable
from bot.ports import Cases, Directory
from bot.services import words
from bot.services.identity import Identity, Refusal
from bot.services.waking import Waker


@dataclass(frozen=True, slots=True)
class Wish:
    """What a specialist wants: these people linked to these customers, one link ended, or both. `handoff` is the case
    at hand. No `customers` and no `reason`: nothing is to be linked."""

    handoff: str
    users: tuple[str, ...]
    channel: str | None
    customers: tuple[CustomerRef, ...]
    reason: Redacted
    ends: str | None

    @property
    def links(self) -> bool:
        """Whether anything is to be linked."""
        return bool(self.customers or self.reason.strip())


@dataclass(frozen=True, slots=True)
class Linking:
    """Makes and ends links, and tells so inside."""

    identity: Identity
    cases: Cases
    directory: Directory
    waker: Waker
    specialist_channel: str

    async def live(self, team: str, user: str) -> tuple[Link, ...]:
        """The links that hold for somebody, newest first."""
        return await self.identity.live(team, user)

    async def carry_out(self, by: str, team: str, wish: Wish) -> tuple[Redacted, ...] | Refusal:
        """Do it; returns what was done, in words for specialists. Raises NotFound when there is
        no such case, Unavailable("slack")."""
        handoff = await self.cases.handoff(wish.handoff)
        said: list[Redacted] = []
        if wish.links:
            made = await self.identity.link(by, team, wish.users, wish.customers, wish.reason, channel=wish.channel)
            if isinstance(made, Refusal):
                return made
            whom = await self._whom(made)
            said.append(words.linked(await self._name(by), whom, _ids(made), _day(made.expires_at), made.reason))
        if wish.ends is not None:
            said.append(await self._end(by, team, wish.ends))
        await self._tell(team, handoff, [one for one in said if one != words.LINK_ENDED_ALREADY])
        return tuple(said)

    async def _end(self, by: str, team: str, link_id: str) -> Redacted:
        try:
            link = await self.identity.links.get(link_id)
        except NotFound:
            return words.LINK_ENDED_ALREADY
        if not await self.identity.revoke(by, team, link_id):
            return words.LINK_ENDED_ALREADY
        return words.unlinked(await self._name(by), await self._whom(link), _ids(link))

    async def _tell(self, team: str, handoff: Handoff, said: Sequence[Redacted]) -> None:
        """In the internal thread of the case's card."""
        to = Address(team, self.specialist_channel)
        posts = tuple(Post(to, Say(Note(one)), case=handoff.case, internal_of=handoff.id) for one in said)
        await self.waker.wake(await self.cases.apply(Changes(outcome="told of links", posts=posts)))

    async def _whom(self, link: Link) -> str:
        names = await asyncio.gather(*(self._name(contact.user) for contact in link.contacts))
        return ", ".join(names)

    async def _name(self, user: str) -> Redacted:
        try:
            return (await self.directory.person(user)).name
        except (NotFound, Unavailable):
            # The link is made: whoever reads of it finds them by their id.
            return redacted(f"<@{user}>")


def _ids(link: Link) -> str:
    return ", ".join(customer.id for customer in link.customers)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
