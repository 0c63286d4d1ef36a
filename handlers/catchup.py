"""Catch-up: what Slack could not deliver is read from history and goes through the same intake.

A cursor by channel says up to which message its history was read. It moves only when a whole pass over the
channel succeeded: the newest *stored* message would be a wrong cursor, since an older one may have been lost
before it. Everything already stored is recognised by its key, so reading too much is harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.incoming import Incoming, Kind, Source
from bot.errors import DeliveryError
from bot.ports import Books, Clock, Engine, Inbox
from bot.services.waking import accept
from bot.telemetry import count
from handlers.events import Malformed, read_event
from handlers.messenger import asked

log = logging.getLogger(__name__)

KINDS = "public_channel,private_channel,im,mpim"
PAGE = 200
MAX_PAGES = 50
"""Of conversations, and of replies of one thread."""
MAX_HISTORY_PAGES = 500
"""100,000 messages of one channel in one pass."""
THREADS_OF = timedelta(days=7)
"""Threads of cases that were active so long ago are read too: history shows only top-level messages."""
PARENTS_OF = timedelta(days=1)
"""Top-level messages that old are looked at again for newer replies."""
MARGIN = timedelta(minutes=2)
"""Our clock and Slack's may differ, and a first pass may be cut short: what was stored is known by its key."""
ALIVE = "last_alive"


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Reads what was missed. One pass at start, after each reconnect and every five minutes."""

    client: AsyncWebClient
    inbox: Inbox
    books: Books
    engine: Engine
    clock: Clock
    team: str
    bot_user: str

    async def run(self) -> int:
        """One pass over all conversations that we are in; returns how many events were new. A channel that
        cannot be read is logged and tried again by the next pass, from the same cursor."""
        now = f"{self.clock.now().timestamp():.6f}"
        unseen_since = _earlier(await self.books.recall(ALIVE) or now, MARGIN)
        cursors = await self.books.cursors()
        new, whole = 0, True
        read: set[tuple[str, str]] = set()
        for channel in await self._channels():
            oldest = cursors.get(channel, unseen_since)
            try:
                added, newest = await self._channel(channel, oldest, read)
            except DeliveryError as error:
                log.warning("catch-up of %s stopped and will be repeated: %s", channel, error.code)
                whole = False
                continue
            new += added
            await self.books.set_cursor(self.team, channel, newest)
        for thread in await self.books.live_threads(_earlier(now, THREADS_OF)):
            if (thread.channel, thread.thread_ts) in read:
                continue
            try:
                new += await self._thread(thread.channel, thread.thread_ts or "", unseen_since)
            except DeliveryError as error:
                log.warning("catch-up of a thread in %s stopped and will be repeated: %s", thread.channel, error.code)
                whole = False
        if whole:
            await self.books.remember(ALIVE, now)
        if new:
            log.info("catch-up found %d events that had not arrived", new)
            count("events", result="caught up")
        return new

    async def _channels(self) -> list[str]:
        found: list[str] = []
        cursor = ""
        for _ in range(MAX_PAGES):
            page = await asked(self.client.users_conversations(types=KINDS, limit=PAGE, cursor=cursor or None))
            found += [str(channel["id"]) for channel in page.get("channels", [])]
            cursor = _next(page)
            if not cursor:
                break
        return found

    async def _channel(self, channel: str, oldest: str, read: set[tuple[str, str]]) -> tuple[int, str]:
        """How many events of a channel were new, and its newest message's time. Threads whose parents it saw are
        noted in `read`: a parent tells of its newest reply."""
        new, newest = 0, oldest
        messages, whole = await self._history(channel, _earlier(oldest, PARENTS_OF))
        read.update((channel, str(message.get("ts", ""))) for message in messages)
        for message in sorted(messages, key=lambda one: str(one.get("ts", ""))):
            ts = str(message.get("ts", ""))
            latest_reply = str(message.get("latest_reply", ""))
            if latest_reply > oldest and not channel.startswith("D"):
                # Before its parent, so that nobody is answered whom a person has answered already. When the thread
                # cannot be read, the parent waits with it for the next pass.
                new += await self._thread(channel, ts, oldest)
                newest = max(newest, latest_reply)
            if ts > oldest:
                new += await self._take(message, channel)
                newest = max(newest, ts)
            elif str(_mapping(message.get("edited")).get("ts", "")) > oldest:
                new += await self._take(message, channel)
            if latest_reply > oldest and channel.startswith("D"):
                new += await self._thread(channel, ts, oldest)
                newest = max(newest, latest_reply)
        # Pages come newest first: with some left unread, the cursor must not pass them.
        return new, newest if whole else oldest

    async def _thread(self, channel: str, thread_ts: str, oldest: str) -> int:
        new, cursor = 0, ""
        for _ in range(MAX_PAGES):
            page = await asked(
                self.client.conversations_replies(
                    channel=channel, ts=thread_ts, oldest=oldest, limit=PAGE, cursor=cursor or None
                )
            )
            for message in page.get("messages", []):
                # Slack gives the parent too; it is taken by its own channel's pass.
                if str(message.get("ts", "")) > oldest and message.get("ts") != thread_ts:
                    new += await self._take(message, channel)
            cursor = _next(page)
            if not cursor:
                break
        return new

    async def _history(self, channel: str, oldest: str) -> tuple[list[Mapping[str, Any]], bool]:
        """Top-level messages since `oldest`, and whether these are all."""
        messages: list[Mapping[str, Any]] = []
        cursor = ""
        for _ in range(MAX_HISTORY_PAGES):
            page = await asked(
                self.client.conversations_history(channel=channel, oldest=oldest, limit=PAGE, cursor=cursor or None)
            )
            messages += page.get("messages", [])
            cursor = _next(page)
            if not cursor:
                return messages, True
        log.error("catch-up of %s read its limit of %d messages; older ones wait", channel, PAGE * MAX_HISTORY_PAGES)
        return messages, False

    async def _take(self, message: Mapping[str, Any], channel: str) -> int:
        """Store one message of a history, or its newest edit; 1 when it was new."""
        event = {**message, "type": "message", "channel": channel}
        try:
            incoming = read_event(event, self.team, self.bot_user, Source.CATCH_UP)
        except Malformed as error:
            log.warning("a message of %s was dropped: %s", channel, error)
            return 0
        if incoming is None:
            return 0
        known = await self.inbox.stored(incoming.key)
        edited = _mapping(message.get("edited")).get("ts")
        if known is not None and edited is not None:
            return await self._take_edit(incoming, str(edited))
        return 0 if known is not None else int(await accept(incoming, self.inbox, self.engine))

    async def _take_edit(self, incoming: Incoming, edited_ts: str) -> int:
        """An edit that was missed. Its live event carries a time of its own, so it may come twice: the second
        one finds the text unchanged."""
        edit = Incoming(
            team=incoming.team,
            channel=incoming.channel,
            place=incoming.place,
            user=incoming.user,
            kind=Kind.EDIT,
            ts=edited_ts,
            thread_ts=incoming.thread_ts,
            target_ts=incoming.ts,
            text=incoming.text,
            mention=incoming.mention,
            found=incoming.found,
            files=(),
            click=None,
            source=Source.CATCH_UP,
        )
        return int(await accept(edit, self.inbox, self.engine))


def _earlier(ts: str, by: timedelta) -> str:
    return f"{max(0.0, float(ts) - by.total_seconds()):.6f}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _next(page: Mapping[str, Any]) -> str:
    return str(_mapping(page.get("response_metadata")).get("next_cursor") or "")
