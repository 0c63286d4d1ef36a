"""Live updates of open pages as server-sent events."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from integrations.workspace.changes import Change
from integrations.workspace.core import Core
from integrations.workspace.page import shapes
from integrations.workspace.seed import Channel
from integrations.workspace.statuses import Status

_KEEP_ALIVE_SECONDS = 15.0
_BATCH_SECONDS = 0.03
_QUEUE = 2000
_ABOUT_MESSAGES = frozenset({"message", "message_changed", "message_deleted"})


@dataclass(eq=False, slots=True)
class _Page:
    """One open page of one person. ``unread`` collects conversations whose counts are to be sent again: counting is
    done once per batch, not once per message."""

    me: str
    frames: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_QUEUE))
    unread: set[str] = field(default_factory=set)

    def put(self, frame: bytes | None) -> None:
        """Queue a frame. A page that does not read is cut off: it loads its state again when it reconnects."""
        if self.frames.full():
            while not self.frames.empty():
                self.frames.get_nowait()
            frame = None
        self.frames.put_nowait(frame)


class PageFeed:
    """Turns changes of the workspace into events for the pages they concern."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._pages: list[_Page] = []
        core.changes.listen(self._on_change)

    async def stream(self, request: web.Request, me: str) -> web.StreamResponse:
        """Serve one page until it goes away or the server stops."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        page = _Page(me)
        self._pages.append(page)
        try:
            await response.write(b": open\n\n")
            while (frames := await self._next(page)) is not None:
                await response.write(frames)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._pages.remove(page)
        return response

    def close(self) -> None:
        """End every stream."""
        for page in self._pages:
            page.put(None)

    async def _next(self, page: _Page) -> bytes | None:
        """The next frames in one piece; a comment after a silence; None at the end."""
        try:
            async with asyncio.timeout(_KEEP_ALIVE_SECONDS):
                frames = [await page.frames.get()]
        except TimeoutError:
            return b": still here\n\n"
        await asyncio.sleep(_BATCH_SECONDS)
        while not page.frames.empty():
            frames.append(page.frames.get_nowait())
        frames += [self._unread(page, channel_id) for channel_id in sorted(page.unread)]
        page.unread.clear()
        ready = [frame for frame in frames if frame is not None]
        return b"".join(ready) if len(ready) == len(frames) else None

    def _on_change(self, change: Change) -> None:
        if not self._pages:
            return
        if change.kind in _ABOUT_MESSAGES:
            self._about_message(change)
        elif change.kind in ("views", "home", "ephemeral", "read"):
            self._about_person(change)
        elif change.kind == "mail":
            self._about_mail(change.data["address"])
        elif change.kind == "status":
            self._about_status(change.data["status"])
        elif change.kind == "channel":
            channel: Channel = change.data["channel"]
            for page in self._pages:
                if page.me in channel.members:
                    page.put(_frame("channel", channel=shapes.channel(self._core, page.me, channel)))

    def _about_message(self, change: Change) -> None:
        channel: Channel = change.data["channel"]
        stored = change.data["message"]
        if change.kind == "message_deleted":
            frame = _frame(change.kind, channel=channel.id, ts=stored["ts"])
        else:
            frame = _frame(change.kind, message=shapes.message(channel.id, stored))
        for page in self._pages:
            if page.me in channel.members:
                page.put(frame)
                if change.kind != "message_changed":
                    page.unread.add(channel.id)

    def _about_person(self, change: Change) -> None:
        data = change.data
        for page in self._pages:
            if page.me != data["person"]:
                continue
            if change.kind == "ephemeral":
                page.put(_frame("ephemeral", message=shapes.message(data["channel"].id, data["message"])))
            elif change.kind == "read":
                page.put(self._unread(page, data["channel"].id))
            elif change.kind == "views":
                page.put(_frame("views", views=data["views"]))
            else:
                page.put(_frame("home", view=data["view"], app=data["view"]["app_id"]))

    def _about_mail(self, address: str) -> None:
        mailbox = self._core.mailbox
        for page in self._pages:
            mine = self._core.directory.people[page.me].email
            if mailbox.same(mine, address):
                page.put(_frame("mail", unread=mailbox.unread(mine)))

    def _about_status(self, status: Status) -> None:
        members = self._core.directory.channels[status.channel].members
        frame = _frame("status", status=shapes.status(status))
        for page in self._pages:
            if page.me in members:
                page.put(frame)

    def _unread(self, page: _Page, channel_id: str) -> bytes:
        channel = self._core.directory.channels[channel_id]
        unread, mentions = shapes.unread_of(self._core, page.me, channel)
        return _frame("unread", channel=channel_id, unread=unread, mentions=mentions)


def _frame(kind: str, **data: Any) -> bytes:
    return f"data: {json.dumps({'type': kind, **data})}\n\n".encode()
