"""Timers over cases: answering in a support channel when no person did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.cases import Reason, Status
from bot.domain.outbox import Changes, Hint, Post, Watch
from bot.domain.policy import UNSURE_TOPIC, Chat, Escalate
from bot.domain.redaction import redacted
from bot.domain.replies import Address, Offer, Reply, Speaker
from bot.errors import Conflict
from bot.ports import Cases, Clock, Knowledge, Pending, WakeKind
from bot.services import words
from bot.services.speaking import Asked, Speaking
from bot.services.turn import CONFLICTS
from bot.services.understanding import is_sure, understand
from bot.services.waking import Waker

CLOCK_SLACK = timedelta(seconds=0.05)


@dataclass(frozen=True, slots=True)
class Watching:
    """Looks at a case again when its timer fires; every tick re-checks its condition."""

    cases: Cases
    knowledge: Knowledge
    clock: Clock
    waker: Waker
    speaking: Speaking
    late_after: timedelta
    """What waited for longer, the wait for people included, gets an apology and a person instead of an answer."""

    async def run(self, watch_id: str) -> None:
        """One tick. Does nothing when the timer is done. Raises Conflict."""
        for _ in range(CONFLICTS):
            watch = await self.cases.watch(watch_id)
            if watch is None:
                return
            if watch.due_at - self.clock.now() > CLOCK_SLACK:
                again = Pending(WakeKind.WATCH, watch.id, watch.lane)
                await self.waker.wake((again,), again=self.clock.new_id("early"))
                return
            try:
                changes = await self._decide(watch)
                added = await self.cases.apply(replace(changes, watch_done=watch.id))
            except Conflict:
                continue
            await self.waker.wake(added)
            return
        raise Conflict

    async def _decide(self, watch: Watch) -> Changes:
        case = await self.cases.get(watch.case)
        if case.status is not Status.OPEN or case.spoken or case.human_joined or case.silenced:
            return Changes(outcome="a person was faster")
        lines = [line for line in await self.cases.lines(case.id) if line.speaker is Speaker.CUSTOMER]
        if not lines:
            return Changes(outcome="the question was deleted")
        # What the customer wrote while people had time to answer.
        question = redacted("\n".join(line.text for line in lines))
        to = Address(case.team, case.channel, case.thread_ts)
        if self.clock.now() - lines[0].at > self.late_after:
            return await self.speaking.carry_out(Asked(case, to, question), Escalate(Reason.LATE, UNSURE_TOPIC))
        understood = await understand(question, self.knowledge)
        if isinstance(understood.decision, Chat):
            return Changes(outcome="small talk among people")
        if understood.by_rule or is_sure(understood):
            return await self.speaking.carry_out(Asked(case, to, question), understood.decision)
        offer = Reply(words.OFFER, offers=(Offer.ASK_BOT, Offer.SPECIALIST, Offer.NOT_NOW))
        return Changes(outcome="offered help", posts=(Post(to, Hint(case.customer, offer), case=case.id),))
