"""Where somebody's payment records may be shown: in their own direct conversation with us, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.articles import Action
from bot.domain.cases import HUMAN_HAS_IT, Case, Status, joins_at
from bot.domain.incoming import Place
from bot.domain.policy import Answer
from bot.domain.replies import Address
from bot.ports import Cases, Clock, Directory, Inbox
from bot.services.lookups import Lookups


@dataclass(frozen=True, slots=True)
class Private:
    """A direct conversation with a customer: the case that goes on there, and where its next words go."""

    case: Case
    to: Address


@dataclass(frozen=True, slots=True)
class Disclosing:
    """Says which part of an answer a look-up gives, and where that may be read."""

    lookups: Lookups
    cases: Cases
    inbox: Inbox
    directory: Directory
    clock: Clock
    support_channels: frozenset[str]

    def part_of(self, decision: Answer, case: Case) -> Answer | None:
        """The part of an answer that a look-up gives instead of its article; one at most. In a channel that is not
        listed there are answers of policy only."""
        if case.place is not Place.DM and case.channel not in self.support_channels:
            return None
        looks = (part for part in decision.parts if part.revision.article.action is Action.LOOKUP and not part.quoted)
        return next(looks, None)

    async def private(self, case: Case) -> Private | None:
        """The direct conversation with the customer of a case in a channel. None: there is none, or a specialist is at
        work in it. Raises Unavailable("slack")."""
        channel = await self.inbox.dm_of(case.team, case.customer) or await self.directory.direct(case.customer)
        if channel is None:
            return None
        to = Address(case.team, channel)
        latest = await self.cases.latest_in_dm(case.team, channel)
        if latest is not None and latest.status in HUMAN_HAS_IT:
            return None
        if latest is not None and latest.customer == case.customer and joins_at(case.last_ts, latest):
            return Private(replace(latest, last_ts=max(latest.last_ts, case.last_ts)), to)
        fresh = Case(
            id=self.clock.new_id("case"),
            conversation=f"{case.team}:{channel}:{case.last_ts}",
            team=case.team,
            channel=channel,
            place=Place.DM,
            thread_ts=None,
            customer=case.customer,
            status=Status.OPEN,
            owner=None,
            version=0,
            last_ts=case.last_ts,
        )
        return Private(fresh, to)
