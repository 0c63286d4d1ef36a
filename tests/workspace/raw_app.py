"""A Socket Mode client that acknowledges only when told to: Bolt cannot be made to stay silent."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

import aiohttp

from integrations.workspace import Workspace


class RawApp:
    """One socket. ``frames`` collects what arrives; acknowledgements are sent by the test."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self.frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.hello: dict[str, Any] = {}

    async def __aenter__(self) -> RawApp:
        self._session = aiohttp.ClientSession()
        headers = {"Authorization": f"Bearer {self._ws.app_token}"}
        async with self._session.post(f"{self._ws.api_url}apps.connections.open", headers=headers) as response:
            self.url = (await response.json())["url"]
        self._socket = await self._session.ws_connect(self.url)
        self.hello = await self._socket.receive_json()
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.cancel()
        await self._socket.close()
        await self._session.close()

    async def next(self) -> dict[str, Any]:
        """The next frame, within five seconds."""
        async with asyncio.timeout(5):
            return await self.frames.get()

    async def ack(self, frame: dict[str, Any], payload: dict[str, Any] | None = None) -> None:
        """Acknowledge an envelope."""
        answer: dict[str, Any] = {"envelope_id": frame["envelope_id"]}
        await self._socket.send_json(answer | {"payload": payload} if payload is not None else answer)

    async def say(self, text: str) -> None:
        """Send anything."""
        await self._socket.send_str(text)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.frames.put_nowait(message.json())
