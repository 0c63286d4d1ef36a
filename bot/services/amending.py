"""Edits and deletions: kept true in the transcript, passed on to whoever has the case."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.cases import HUMAN_HAS_IT, Case, Setting, Voice, whose_turn
from bot.domain.incoming import Incoming, Kind, seconds
from bot.domain.outbox import Amended, Changes, Post, Say, UpdateCard
from bot.domain.redaction import Redacted, redacted
from bot.domain.replies import Address, Line, Note, Speaker
from bot.ports import Cases
from bot.services import words

ANSWERED_AGAIN_WITHIN = 900.0
"""Seconds: an edit of an older message is noted, not answered."""
FILE_MARK = " [file: "
"""How a line of the transcript names a file that came with it, after the message's own words."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an edit or deletion changes. `case` is set when the edited question should be answered again, unless
    that gives an outcome in `said_already`."""

    changes: Changes
    case: Case | None = None
    original_ts: str = ""
    said_already: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Amending:
    """Follows a customer's edits and deletions."""

    cases: Cases
    specialist_channel: str

    async def amend(self, incoming: Incoming) -> Amendment:
        """What to do about an edit or a deletion of `incoming.target_ts`."""
        target = incoming.target_ts or ""
        case = await self.cases.by_message(incoming.channel, target)
        lines = await self.cases.lines(case.id) if case is not None else ()
        line = next((line for line in lines if line.ts == target and line.speaker is Speaker.CUSTOMER), None)
        if case is None or line is None:
            # Whatever a deleted message was to us, its words are not kept.
            gone = (Amended(incoming.channel, target, None),) if case is None and incoming.kind is Kind.DELETE else ()
            return Amendment(Changes(outcome="ignored: not a message of a case", amended=gone))
        if incoming.kind is Kind.DELETE:
            amended = Amended(incoming.channel, target, None)
            notes = await self._tell(case, incoming, Note(words.CUSTOMER_DELETED), redraw=True)
            return Amendment(Changes(outcome="deleted", amended=(amended,), posts=notes))
        text, files = line.text.partition(FILE_MARK)[::2]
        if text == incoming.text:
            return Amendment(Changes(outcome="ignored: the text is the same"))
        kept = redacted(f"{incoming.text}{FILE_MARK}{files}") if files else incoming.text
        return await self._edited(incoming, case, line, lines, kept)

    async def _edited(
        self, incoming: Incoming, case: Case, line: Line, lines: tuple[Line, ...], kept: Redacted
    ) -> Amendment:
        amended = Amended(incoming.channel, line.ts or "", kept)
        notes = await self._tell(case, incoming, Note(words.customer_edited(incoming.text)))
        changes = Changes(outcome="edited", amended=(amended,), posts=notes)
        newest = [one for one in lines if one.speaker is Speaker.CUSTOMER][-1]
        fresh = seconds(incoming.ts) - seconds(line.ts or "0") < ANSWERED_AGAIN_WITHIN
        others = tuple(one for one in await self.cases.in_conversation(case.conversation) if one.id != case.id)
        speaks = whose_turn(incoming, case, Setting(others=others)) is Voice.SPEAK
        if not (speaks and fresh and newest is line and incoming.user == case.customer):
            return Amendment(changes)
        said = frozenset(f"answered: {article}" for article in case.answered)
        # The same question again is no second unsure turn.
        return Amendment(changes, replace(case, unsure=max(0, case.unsure - 1)), line.ts or "", said)

    async def _tell(self, case: Case, incoming: Incoming, note: Note, *, redraw: bool = False) -> tuple[Post, ...]:
        handoff = await self.cases.open_handoff(case.id) if case.status in HUMAN_HAS_IT else None
        if handoff is None:
            return ()
        inside = Address(incoming.team, self.specialist_channel)
        told = Post(inside, Say(note), case=case.id, internal_of=handoff.id)
        if not redraw:
            return (told,)
        return (told, Post(inside, UpdateCard(handoff.id), case=case.id, internal_of=handoff.id))
