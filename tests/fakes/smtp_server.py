"""A mail server on loopback that keeps what it was handed, or behaves as badly as a test tells it to."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

GREETING = "greeting"
END = "."
"""The line that ends a mail's text."""


@dataclass
class Delivered:
    """A mail as it came in: the envelope, and what was read between DATA and its end."""

    sender: str
    to: list[str]
    raw: bytes
    secure: bool

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)


@dataclass
class SmtpServer:
    """`refuse` answers a verb with a line instead, `hang` never answers it, `drop` hangs up on it; `drip` answers it a
    letter at a time without an end. Verbs are upper case; `GREETING` and `END` are two more. `tls` is what STARTTLS
    leads to; `broken_tls` offers it and then talks nonsense. `login`: the user and password it wants. `waiting` is set
    once it hangs, `closed` once a client is gone."""

    port: int = 0
    refuse: dict[str, str] = field(default_factory=dict)
    hang: str | None = None
    drop: str | None = None
    drip: str | None = None
    tls: ssl.SSLContext | None = None
    broken_tls: bool = False
    login: tuple[str, str] | None = None
    mails: list[Delivered] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@asynccontextmanager
async def smtp_server(server: SmtpServer | None = None, *, secure: bool = False) -> AsyncIterator[SmtpServer]:
    """Serves until the block ends. `secure`: TLS from the first byte."""
    server = server or SmtpServer()
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await _Talk(server, reader, writer, secure).run()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass  # the client went away
        finally:
            server.closed.set()
            writer.close()
            talks.discard(task)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server.tls if secure else None)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        server.over.set()
        listening.close()
        await asyncio.gather(*talks, return_exceptions=True)


class _Talk:
    """One connection."""

    def __init__(
        self, server: SmtpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secure: bool
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._secure = secure
        self._sender = ""
        self._to: list[str] = []

    async def run(self) -> None:
        if not await self._answer(GREETING, "220 mail.example.com ready"):
            return
        while line := await self._reader.readline():
            verb = line.split()[0].decode("latin-1").upper() if line.split() else ""
            self._server.verbs.append(verb)
            if not await self._on(verb, line.decode("latin-1").strip()):
                return

    async def _on(self, verb: str, line: str) -> bool:
        match verb:
            case "EHLO":
                return await self._answer(verb, self._greeted())
            case "STARTTLS":
                return await self._answer(verb, "220 go on") and await self._start_tls()
            case "AUTH":
                return await self._answer(verb, self._let_in(line))
            case "MAIL":
                self._sender, self._to = _between(line), []
            case "RCPT":
                self._to.append(_between(line))
            case "DATA":
                return await self._answer(verb, "354 go on") and await self._take()
            case "QUIT":
                await self._answer(verb, "221 bye")
                return False
        return await self._answer(verb, "250 fine")

    def _greeted(self) -> str:
        offers = ["mail.example.com"]
        if (self._server.tls is not None or self._server.broken_tls) and not self._secure:
            offers.append("STARTTLS")
        if self._server.login is not None:
            offers.append("AUTH PLAIN")
        lines = [f"250-{offer}" for offer in offers]
        lines[-1] = lines[-1].replace("250-", "250 ", 1)
        return "\r\n".join(lines)

    def _let_in(self, line: str) -> str:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self._server.logins.append((user, password))
        return "235 welcome" if (user, password) == self._server.login else f"535 {user} is not welcome"

    async def _start_tls(self) -> bool:
        if self._server.tls is None:
            self._writer.write(b"this is not TLS\r\n" * 10)
            await self._writer.drain()
            return False
        await self._writer.start_tls(self._server.tls)
        self._secure = True
        return True

    async def _take(self) -> bool:
        lines: list[bytes] = []
        while (line := await self._reader.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        refused = END in self._server.refuse
        if not refused:
            self._server.mails.append(Delivered(self._sender, self._to, b"".join(lines), self._secure))
        return await self._answer(END, "250 taken")

    async def _answer(self, verb: str, line: str) -> bool:
        """False when the talk is over."""
        server = self._server
        if verb == server.drop:
            return False
        if verb == server.hang:
            await self._until_over(b"")
            return False
        if verb == server.drip:
            await self._until_over(b"2")
            return False
        self._writer.write(server.refuse.get(verb, line).encode() + b"\r\n")
        await self._writer.drain()
        return True

    async def _until_over(self, letter: bytes) -> None:
        """Say next to nothing until the test is over or the client hangs up."""
        self._server.waiting.set()
        gone = asyncio.create_task(self._reader.read())
        over = asyncio.create_task(self._server.over.wait())
        while not gone.done() and not over.done():
            self._writer.write(letter)
            await asyncio.wait((gone, over), timeout=0.02, return_when=asyncio.FIRST_COMPLETED)
        for task in (gone, over):
            task.cancel()
        await asyncio.gather(gone, over, return_exceptions=True)


def _between(line: str) -> str:
    return line.partition("<")[2].rpartition(">")[0]
