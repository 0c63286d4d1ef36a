"""Who writes what in a chaos run: people with several conversations at a time, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.measure.scene import GENERAL
from integrations.workspace import Workspace

ASKS_FOR_PERSON = "I want to talk to a human please"
AT_ONCE = 12
"""Conversations that are going on side by side."""
BURST = (1, 1, 2, 3, 4)
"""How many messages of one conversation are written in one breath."""


class Where(StrEnum):
    """The kinds of conversation."""

    DM = "direct, top level"
    DM_THREAD = "direct, in a thread"
    CHANNEL = "channel thread"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a customer. `question` is its text without the mention; `article` the one that answers it, None
    when it asks for a person."""

    user: str
    channel: str
    thread_ts: str | None
    ts: str
    question: str
    article: str | None


@dataclass(slots=True)
class _Conversation:
    user: str
    where: Where
    left: int
    person_at: int
    root: str | None = None


class Cast:
    """Writes messages. Neighbours in one place have different answers, so that a swap or a loss shows."""

    def __init__(
        self, ws: Workspace, people: Sequence[str], questions: Mapping[str, Sequence[str]], chance: random.Random
    ) -> None:
        self._ws = ws
        self._people = people
        self._questions = questions
        self._articles = sorted(questions)
        self._chance = chance
        self._going: list[_Conversation] = []
        self._places: dict[tuple[str, str], int] = {}
        self.written: list[Message] = []
        self.by_bots: list[tuple[str, str]] = []
        """(channel, ts) of what other bots are said to have written."""

    async def write(self, most: int) -> None:
        """Write a burst of one conversation, at most so many messages."""
        while len(self._going) < AT_ONCE:
            self._going.append(self._new())
        conversation = self._chance.choice(self._going)
        for _ in range(min(most, conversation.left, self._chance.choice(BURST))):
            await self._one(conversation)
        if conversation.left == 0:
            self._going.remove(conversation)

    async def another_bot(self) -> None:
        """Another bot calls ours, in one of the shapes that Slack has for it."""
        ts = self._ws.clock.ts()
        text = f"<@{self._ws.bot_user_id}> {self._question(self._articles[0])}"
        event = {"type": "message", "channel": GENERAL, "channel_type": "channel", "ts": ts, "event_ts": ts}
        shapes: tuple[dict[str, str], ...] = (
            {"subtype": "bot_message", "bot_id": "B0OTHER", "username": "Other bot"},
            {"user": "U0OTHERBOT", "bot_id": "B0OTHER"},
            {"type": "app_mention", "user": "U0OTHERBOT", "bot_id": "B0OTHER"},
        )
        await self._ws.send_raw_event({**event, "text": text, **self._chance.choice(shapes)})
        self.by_bots.append((GENERAL, ts))

    def _new(self) -> _Conversation:
        where = self._chance.choice(tuple(Where))
        user = self._chance.randrange(len(self._people))
        left = self._chance.randint(3, 12)
        # A fifth of the people sometimes want a person: afterwards their words are relayed, not answered.
        wants = user % 5 == 0 and self._chance.random() < 0.3
        return _Conversation(self._people[user], where, left, self._chance.randint(1, left) if wants else 0)

    async def _one(self, conversation: _Conversation) -> None:
        channel = GENERAL
        if conversation.where is not Where.CHANNEL:
            channel = await self._ws.open_im(conversation.user)
        thread = None if conversation.where is Where.DM else conversation.root
        article, question = self._words(conversation, channel, thread)
        mention = f"<@{self._ws.bot_user_id}> " if conversation.where is Where.CHANNEL else ""
        text = f"{mention}{question}"
        ts = await self._ws.post(conversation.user, channel, text, thread_ts=thread)
        self.written.append(Message(conversation.user, channel, thread, ts, question, article))
        conversation.root = conversation.root or ts
        conversation.left -= 1

    def _words(self, conversation: _Conversation, channel: str, thread: str | None) -> tuple[str | None, str]:
        if conversation.left == conversation.person_at:
            return None, ASKS_FOR_PERSON
        place = (channel, thread or conversation.user)
        turn = self._places[place] = self._places.get(place, self._chance.randrange(len(self._articles))) + 1
        article = self._articles[turn % len(self._articles)]
        return article, self._question(article)

    def _question(self, article: str) -> str:
        return self._chance.choice(self._questions[article])
