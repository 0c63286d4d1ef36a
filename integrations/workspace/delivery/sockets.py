"""Socket Mode connections: tickets, ``hello``, frames out, acknowledgements in."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from integrations.workspace import ids, jsonsafe
from integrations.workspace.changes import Changes

MAX_SOCKETS = 10
_MAX_FRAME = 1_000_000
_CLOSE_SECONDS = 1.0  # how long a closing handshake waits for an app that does not answer
_TICKETS_KEPT = 100

FrameHandler = Callable[[str, dict[str, Any]], None]


@dataclass(eq=False, slots=True)
class Socket:
    """One connection of one app. Frames leave in the order they were queued."""

    number: int
    app: str
    connection: web.WebSocketResponse
    transport: asyncio.Transport | None
    outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    draining: bool = False

    def send(self, frame: dict[str, Any]) -> None:
        """Queue a frame."""
        self.outbox.put_nowait(json.dumps(frame))

    def cut(self) -> None:
        """Break the TCP connection; the reader ends by itself."""
        if self.transport is not None:
            self.transport.abort()

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        while True:
            frame = await self.outbox.get()
            try:
                await self.connection.send_str(frame)
            except ConnectionError:
                return  # the reader sees the same end and unregisters the socket


class SocketHub:
    """All connections of all apps. An event goes to one arbitrary socket of its app (Slack promises no more)."""

    def __init__(self, chance: random.Random, changes: Changes) -> None:
        self.on_ack: FrameHandler = _ignore
        self.refusing = False
        self._chance = chance
        self._changes = changes
        self._tickets: dict[str, str] = {}
        self._sockets: dict[str, list[Socket]] = {}
        self._numbers = itertools.count(1)

    def ticket(self, app: str) -> str:
        """A one-time right to open a connection."""
        ticket = ids.ticket()
        self._tickets[ticket] = app
        if len(self._tickets) > _TICKETS_KEPT:
            del self._tickets[next(iter(self._tickets))]  # the oldest; an app that asked and never came
        return ticket

    def count(self, app: str | None = None) -> int:
        """Open connections of an app, or of all."""
        return sum(len(sockets) for owner, sockets in self._sockets.items() if app in (None, owner))

    def pick(self, app: str) -> Socket | None:
        """The socket for the next envelope. One that was asked to reconnect is used only if there is no other."""
        sockets = self._sockets.get(app, [])
        fresh = [socket for socket in sockets if not socket.draining]
        candidates = fresh or sockets
        return self._chance.choice(candidates) if candidates else None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket endpoint; runs as long as the connection."""
        app = self._tickets.pop(request.query.get("ticket", ""), None)
        if app is None or self.refusing:
            raise web.HTTPForbidden(text="This socket ticket is unknown or has been used.")
        connection = web.WebSocketResponse(max_msg_size=_MAX_FRAME, timeout=_CLOSE_SECONDS)
        await connection.prepare(request)
        socket = Socket(next(self._numbers), app, connection, request.transport)
        if self.count(app) >= MAX_SOCKETS:
            await connection.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await connection.close()
            return connection
        self._sockets.setdefault(app, []).append(socket)
        socket.send(self._hello(app))
        self._changes.tell("sockets", app=app)
        writer = asyncio.create_task(socket.write())
        try:
            await self._read(socket)
        finally:
            self._sockets[app].remove(socket)
            writer.cancel()
            self._changes.tell("sockets", app=app)
        return connection

    def disconnect(self, reason: str) -> None:
        """Send every socket a ``disconnect`` frame; after ``refresh_requested`` new ones are preferred."""
        for socket in self._all():
            socket.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "workspace"}})
            socket.draining = socket.draining or reason != "warning"

    async def close_all(self) -> None:
        """Close every connection, as a network failure would: what is in flight stays unacknowledged."""
        await asyncio.gather(*(socket.connection.close(code=WSCloseCode.GOING_AWAY) for socket in self._all()))

    def drop_all(self) -> None:
        """Cut every connection without a closing handshake."""
        for socket in self._all():
            socket.cut()

    def _all(self) -> list[Socket]:
        return [socket for sockets in self._sockets.values() for socket in sockets]

    def _hello(self, app: str) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": self.count(app),
            "connection_info": {"app_id": app},
            "debug_info": {"host": "workspace", "approximate_connection_time": 18060},
        }

    async def _read(self, socket: Socket) -> None:
        async for message in socket.connection:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                frame = jsonsafe.loads(message.data)
            except ValueError:
                continue  # Slack ignores what is not an acknowledgement
            if isinstance(frame, dict) and isinstance(frame.get("envelope_id"), str):
                payload = frame.get("payload")
                self.on_ack(frame["envelope_id"], payload if isinstance(payload, dict) else {})


def _ignore(envelope_id: str, payload: dict[str, Any]) -> None:
    """Before the workspace is wired there is nobody to tell."""
