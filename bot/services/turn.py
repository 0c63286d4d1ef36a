"""One turn: take the lane's oldest unprocessed message, decide whose turn it is, and commit what follows."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.cases import (
    HUMAN_HAS_IT,
    Case,
    Reason,
    Setting,
    Status,
    Voice,
    conversation_of,
    is_late,
    joins,
    whose_turn,
)
from bot.domain.incoming import Incoming, Kind, Place, Source
from bot.domain.outbox import IGNORED, Amended, Changes, Hint, Post, React, Revival, Say, Spoken, Watch
from bot.domain.policy import UNSURE_TOPIC, Decision, Escalate
from bot.domain.questions import may_go_on
from bot.domain.redaction import Redacted, redacted
from bot.domain.replies import Address, Line, Note, Reply, Speaker
from bot.errors import Conflict
from bot.ports import Cases, Clock, Directory, Engine, Inbox, InboxRow, Knowledge, Presence, Wake, WakeKind
from bot.services import words
from bot.services.amending import FILE_MARK, Amending
from bot.services.speaking import Asked, Speaking, at
from bot.services.understanding import NOTHING, Before, before, may_be_unfinished, only_removed, understand
from bot.services.waking import Waker
from bot.telemetry import count

log = logging.getLogger(__name__)

CONFLICTS = 5
"""How often one turn is decided again because a case changed under it."""
RECEIPT = "incoming_envelope"
UNANSWERED = frozenset({Voice.WAIT, Voice.LISTEN, Voice.RELAY, Voice.STAND_ASIDE, Voice.HEED, Voice.IGNORE})
LATE_GRACE = timedelta(seconds=30)
BURST_GAP = timedelta(seconds=15)
"""Messages of one person that are further apart are not read as one."""
LINES_BEFORE = 12
"""Lines of the transcript that tell what was said just before."""


@dataclass(frozen=True, slots=True)
class Premises:
    """Where we are: the channels that mean something."""

    support_channels: frozenset[str]
    specialist_channel: str
    channel_wait: timedelta
    patience: timedelta = timedelta(0)
    """How long after somebody's newest words the bot asks back or hands over unsure: they may still be writing."""


class _Unfinished(Exception):
    """Somebody may still be writing: take the turn again in so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Turn:
    """Decides on messages, edits and deletions, in Slack's order within a lane."""

    inbox: Inbox
    cases: Cases
    directory: Directory
    knowledge: Knowledge
    clock: Clock
    waker: Waker
    engine: Engine
    presence: Presence
    speaking: Speaking
    amending: Amending
    premises: Premises

    async def run(self, lane: str) -> None:
        """Take one row of the lane to its end. Does nothing when none waits; comes again in a moment when somebody may
        still be writing. Raises Conflict when a case kept changing under it: the caller tries again later."""
        for _ in range(CONFLICTS):
            row = await self.inbox.next(lane)
            if row is None:
                return
            try:
                changes = await self._decide(row)
                added = await self.cases.apply(changes)
            except Conflict:
                continue
            except _Unfinished as unfinished:
                # This wake-up is spent without taking a row, so another one stands for it.
                again = Wake(self.clock.new_id("patience"), WakeKind.TURN, lane, row.incoming.key)
                await self.engine.enqueue(again, unfinished.seconds)
                return
            log.info("%s: %s", row.incoming.key, changes.outcome)
            count("turns", outcome=changes.outcome.partition(":")[0])
            await self.waker.wake(added)
            return
        raise Conflict

    async def give_up(self, row: InboxRow) -> None:
        """The bot failed on this message again and again: a person takes it."""
        incoming = row.incoming
        changes = await self._given_up(incoming) if incoming.kind is Kind.MESSAGE else await self._amend_only(incoming)
        await self.waker.wake(await self.cases.apply(replace(changes, done=(incoming.key,))))

    async def _given_up(self, incoming: Incoming) -> Changes:
        case, others = await self.locate(incoming)
        if case is None and (others or not (incoming.mention or incoming.place is Place.DM)):
            return Changes(outcome="failed: nobody had called the bot")
        if case is not None and case.status in HUMAN_HAS_IT:
            return await self._relay(incoming, case)
        asked = self._asked(incoming, case or self._new_case(incoming))
        return await self.speaking.carry_out(asked, Escalate(Reason.ERROR, UNSURE_TOPIC))

    async def _amend_only(self, incoming: Incoming) -> Changes:
        """An edit that could not be answered: a person takes it, in the thread of the message that was edited."""
        amended = await self.amending.amend(incoming)
        if amended.case is None:
            return amended.changes
        original = replace(incoming, ts=amended.original_ts, kind=Kind.MESSAGE)
        asked = self._asked(original, amended.case, ())
        changes = await self.speaking.carry_out(asked, Escalate(Reason.ERROR, UNSURE_TOPIC))
        return replace(changes, amended=amended.changes.amended)

    async def abandon(self, row: InboxRow) -> None:
        """Not even handing it over worked. It leaves its lane, so that the rest can go on, and both sides hear of
        it, without any case: that is what cannot be made."""
        incoming = row.incoming
        note = Note(words.abandoned(incoming.text), about=incoming.user or None)
        posts = [Post(Address(incoming.team, self.premises.specialist_channel), Say(note))]
        if incoming.kind is Kind.MESSAGE and (incoming.mention or incoming.place is Place.DM):
            posts.append(Post(address_of(incoming), Say(Reply(words.DOWN))))
        changes = Changes(done=(incoming.key,), outcome="abandoned", posts=tuple(posts))
        await self.waker.wake(await self.cases.apply(changes))

    def asked_from_home(self, message: Incoming, case: Case | None) -> Asked:
        """A topic that was chosen on the Home tab, as if its title had been asked in the direct conversation."""
        return self._asked(message, case or self._new_case(message))

    async def _decide(self, row: InboxRow) -> Changes:
        incoming = row.incoming
        if incoming.kind is not Kind.MESSAGE:
            return await self._amend(incoming)
        amendments = await self.inbox.amendments(incoming.lane, incoming.ts)
        done = (incoming.key, *(amendment.key for amendment in amendments))
        # Slack may deliver an edit or a deletion before the message that it is about.
        known = (*await self.inbox.amended_before(incoming.channel, incoming.ts), *amendments)
        if any(amendment.kind is Kind.DELETE for amendment in known):
            gone = Amended(incoming.channel, incoming.ts, None)
            return Changes(done=done, outcome="deleted before it was read", amended=(gone,))
        if known:
            newest = max(known, key=lambda amendment: amendment.ts)
            incoming = replace(incoming, text=newest.text, found=incoming.found | newest.found)
        changes = await self._respond(incoming)
        return replace(changes, done=tuple(dict.fromkeys((*done, *changes.done))))

    async def _respond(self, incoming: Incoming) -> Changes:
        case, others = await self.locate(incoming)
        supported = incoming.channel in self.premises.support_channels
        setting = Setting(
            support_channel=supported,
            internal_channel=incoming.channel == self.premises.specialist_channel,
            # Asked only where it decides: each question is a call to Slack.
            author_is_staff=supported and not incoming.mention and await self.directory.is_staff(incoming.user),
            others=others,
        )
        voice = whose_turn(incoming, case, setting)
        changes = await self._by_voice(voice, incoming, case)
        if voice in UNANSWERED and not setting.internal_channel:
            changes = replace(changes, posts=(*changes.posts, *_notice(incoming)))
        # Whatever it means to us, a person wrote in these people's thread.
        heeded = tuple(replace(other, human_joined=True) for other in others if not other.human_joined)
        return replace(changes, cases=(*changes.cases, *heeded))

    async def _by_voice(self, voice: Voice, incoming: Incoming, case: Case | None) -> Changes:
        match voice:
            case Voice.SPEAK if case is not None:
                self.presence.working(address_of(incoming), incoming.ts)
                return await self._speak(incoming, case)
            case Voice.SPEAK:
                self.presence.working(address_of(incoming), incoming.ts)
                spoken = await self._speak(incoming, self._new_case(incoming))
                return replace(spoken, revive=Revival(incoming.lane, None, incoming.ts))
            case Voice.WAIT:
                return self._wait(incoming)
            case Voice.RELAY if case is not None:
                return await self._relay(incoming, case)
            case Voice.STAND_ASIDE:
                hint = Hint(incoming.user, Reply(words.STAND_ASIDE))
                return Changes(outcome="stood aside", posts=(Post(address_of(incoming), hint),))
            case Voice.HEED:
                return Changes(outcome="heeded: a person wrote")
            case Voice.LISTEN if case is not None:
                kept = replace(case, last_ts=max(case.last_ts, incoming.ts))
                return Changes(outcome="listened", cases=(kept,), lines=(Spoken(case.id, line_of(incoming)),))
            case _:
                return Changes(outcome=IGNORED)

    async def locate(self, incoming: Incoming) -> tuple[Case | None, tuple[Case, ...]]:
        """The author's own case in this conversation, and other people's cases in the same thread."""
        if incoming.place is Place.DM and incoming.thread_ts is None:
            latest = await self.cases.latest_in_dm(incoming.team, incoming.channel)
            if latest is not None and joins(incoming, latest):
                return latest, ()
            # Slack may deliver a reply before the message that it replies to: the reply has made its case then.
            begun = await self.cases.in_conversation(conversation_of(incoming))
            return next((case for case in begun if case.customer == incoming.user), None), ()
        found = await self.cases.in_conversation(conversation_of(incoming))
        if incoming.place is Place.DM and not found and incoming.thread_ts is not None:
            # A thread that somebody opened under one of our top-level messages belongs to that message's case.
            return await self.cases.by_message(incoming.channel, incoming.thread_ts), ()
        own = next((case for case in found if case.customer == incoming.user), None)
        return own, tuple(case for case in found if case is not own)

    def _new_case(self, incoming: Incoming) -> Case:
        root = incoming.thread_ts or incoming.ts
        return Case(
            id=self.clock.new_id("case"),
            conversation=conversation_of(incoming),
            team=incoming.team,
            channel=incoming.channel,
            place=incoming.place,
            thread_ts=incoming.thread_ts if incoming.place is Place.DM else root,
            customer=incoming.user,
            status=Status.OPEN,
            owner=None,
            version=0,
            last_ts=incoming.ts,
        )

    def _asked(self, incoming: Incoming, case: Case, pieces: tuple[Incoming, ...] | None = None) -> Asked:
        """`pieces` are the messages to keep, all together `incoming`; without them it is one, `incoming`."""
        kept = (incoming,) if pieces is None else pieces
        return Asked(
            case=replace(case, last_ts=max(case.last_ts, incoming.ts, *(piece.ts for piece in kept))),
            to=address_of(incoming),
            question=incoming.text,
            done=tuple(piece.key for piece in kept),
            lines=tuple(line_of(piece) for piece in kept),
            notice=words.removed(incoming.found),
        )

    async def _speak(self, incoming: Incoming, case: Case) -> Changes:
        """Answer a message. What could not be answered as it is gets read together with what was written next; when
        that may still be coming, _Unfinished is raised."""
        said = await self._before(case)
        pieces = [incoming]
        coming: list[Incoming] | None = None
        while True:
            heard = _joined(pieces)
            asked = self._asked(heard, case, tuple(pieces))
            if (told := self._told_off(asked)) is not None:
                return told
            decision = await self._decision(heard, asked, said)
            if not (may_be_unfinished(decision) and may_go_on(heard.text)):
                break
            if coming is None:  # looked up only here: most messages can be answered as they are
                coming = await self._following(incoming)
            if not coming:
                self._have_patience(pieces[-1])
                break
            pieces.append(coming.pop(0))
        return await self.speaking.carry_out(asked, decision)

    async def _speak_again(self, edited: Incoming, case: Case) -> Changes:
        """Answer an edited message, whose line is kept already."""
        asked = self._asked(edited, case, ())
        if (told := self._told_off(asked)) is not None:
            return told
        decision = await self._decision(edited, asked, Before(unsure=case.unsure))
        return await self.speaking.carry_out(asked, decision)

    def _told_off(self, asked: Asked) -> Changes | None:
        """A message that held a secret and hardly more gets the notice about it, and nothing else."""
        if asked.notice is None or not only_removed(asked.question):
            return None
        return self.speaking.say(asked, Reply(asked.notice), "asked to delete a secret")

    async def _before(self, case: Case) -> Before:
        if not case.spoken:
            return NOTHING
        return before(await self.cases.lines(case.id, newest=LINES_BEFORE), case.unsure)

    async def _following(self, incoming: Incoming) -> list[Incoming]:
        """What the same person wrote right after in the same place, as far as it waits and nobody changed it."""
        found: list[Incoming] = []
        newest = incoming
        for row in await self.inbox.after(incoming.lane, incoming.ts):
            piece = row.incoming
            same = (piece.user, piece.thread_ts, piece.place) == (incoming.user, incoming.thread_ts, incoming.place)
            if not same or at(piece.ts) - at(newest.ts) > BURST_GAP or await self._changed(piece):
                break
            found.append(piece)
            newest = piece
        return found

    async def _changed(self, piece: Incoming) -> bool:
        known = await self.inbox.amendments(piece.lane, piece.ts)
        return bool(known or await self.inbox.amended_before(piece.channel, piece.ts))

    def _have_patience(self, newest: Incoming) -> None:
        """Raises _Unfinished when somebody may still be writing."""
        age = self.clock.now() - at(newest.ts)
        # A clock that is far from Slack's must not keep anybody waiting.
        if newest.source is Source.LIVE and -self.premises.patience < age < self.premises.patience:
            raise _Unfinished((self.premises.patience - age).total_seconds())

    async def _decision(self, incoming: Incoming, asked: Asked, said: Before) -> Decision:
        if is_late(incoming, self.clock.now()):
            return Escalate(Reason.LATE, UNSURE_TOPIC)
        if incoming.files and not asked.question.strip():
            return Escalate(Reason.FILE, UNSURE_TOPIC)
        return (await understand(asked.question, self.knowledge, said)).decision

    def _wait(self, incoming: Incoming) -> Changes:
        """Nobody called the bot: people go first. The case is made now, so that it notices who writes."""
        case = self._new_case(incoming)
        now = self.clock.now()
        due = max(now, at(incoming.ts) + self.premises.channel_wait)
        if incoming.source is Source.CATCH_UP or is_late(incoming, now):
            # Read from history, and so may be the replies of people that are still to come.
            due = max(due, now + LATE_GRACE)
        watch = Watch(self.clock.new_id("watch"), case.id, incoming.key, incoming.lane, due)
        return Changes(
            outcome="waiting for people first",
            cases=(case,),
            lines=(Spoken(case.id, line_of(incoming)),),
            # A person's reply that was delivered before its question was nobody's concern then.
            revive=Revival(incoming.lane, None, incoming.ts),
            watch=watch,
        )

    async def _relay(self, incoming: Incoming, case: Case) -> Changes:
        """A specialist has the case: their card's thread gets the message, the customer a receipt."""
        handoff = await self.cases.open_handoff(case.id)
        if handoff is None:
            log.error("case %s is %s without an open handoff; opening one", case.id, case.status)
            return await self.speaking.carry_out(self._asked(incoming, case), Escalate(Reason.ERROR, UNSURE_TOPIC))
        inside = Address(incoming.team, self.premises.specialist_channel)
        told = [words.customer_wrote(incoming.text)]
        told += [words.customer_shared(file.name, file.mimetype) for file in incoming.files]
        posts = [Post(inside, Say(Note(text)), case=case.id, internal_of=handoff.id) for text in told]
        posts.append(Post(address_of(incoming), React(incoming.ts, RECEIPT), case=case.id))
        return Changes(
            done=(incoming.key,),
            outcome="relayed to specialists",
            cases=(replace(case, last_ts=max(case.last_ts, incoming.ts)),),
            lines=(Spoken(case.id, line_of(incoming)),),
            posts=tuple(posts),
        )

    async def _amend(self, incoming: Incoming) -> Changes:
        amended = await self.amending.amend(incoming)
        if amended.case is None:
            posts = (*amended.changes.posts, *_notice(incoming))
            return replace(amended.changes, done=(incoming.key,), posts=posts)
        edited = replace(incoming, ts=amended.original_ts, kind=Kind.MESSAGE)
        answered = await self._speak_again(edited, amended.case)
        if answered.outcome in amended.said_already:
            return replace(amended.changes, done=(incoming.key,), outcome="edited: answered already")
        return replace(answered, done=(incoming.key,), amended=amended.changes.amended)


def address_of(incoming: Incoming) -> Address:
    """Where an answer to this message goes: its thread; in a DM, top level when it was asked at top level."""
    thread = incoming.thread_ts if incoming.place is Place.DM else incoming.thread_ts or incoming.ts
    return Address(incoming.team, incoming.channel, thread)


def _joined(pieces: list[Incoming]) -> Incoming:
    """The pieces of a burst as one message: the first one's place and time, everybody's words."""
    first, *more = pieces
    if not more:
        return first
    return replace(
        first,
        text=redacted("\n".join(piece.text for piece in pieces if piece.text.strip())),
        found=frozenset().union(*(piece.found for piece in pieces)),
        files=tuple(file for piece in pieces for file in piece.files),
    )


def _notice(incoming: Incoming) -> tuple[Post, ...]:
    """A private word to the author of a message that held a secret and gets no answer that says so."""
    notice = words.removed(incoming.found)
    return () if notice is None else (Post(address_of(incoming), Hint(incoming.user, Reply(notice))),)


def line_of(incoming: Incoming) -> Line:
    """A message as its case's transcript keeps it, with the names of files that came with it."""
    files = "".join(f"{FILE_MARK}{file.name}]" for file in incoming.files)
    text: Redacted = redacted(f"{incoming.text}{files}") if files else incoming.text
    return Line(Speaker.CUSTOMER, incoming.user, text, incoming.ts, at(incoming.ts))
