"""Mail over SMTP, in plain text, to one person at a time.

Whoever sends learns that it did not work, and never why: a mail server's words repeat addresses. The log gets the
kind of the failure and SMTP's number, so that an operator can mend it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

from bot.errors import SettingsError, Unavailable
from bot.ports import Clock
from bot.telemetry import register_secret

log = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 10.0
MOST_AT_ONCE: Final = 2
"""Mails on their way at a time: each holds a thread that others need as well."""

_PORTS = {"smtp": 587, "smtps": 465}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_LONGEST_ADDRESS = 254
_LONGEST_SUBJECT = 200
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_POLICY = policy.SMTP.clone(cte_type="7bit")  # a server need not take more
_HOW = "SMTP_URL must look like smtp://user:password@host:587 or smtps://…, with %40 for an @ in user or password."


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server. `secure`: TLS from the first byte, otherwise by STARTTLS; `login`: user and password."""

    host: str
    port: int
    secure: bool
    login: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def here(self) -> bool:
        """Whether it is on this machine: what is sent there crosses no network."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def server_of(url: str) -> Server:
    """The server that `smtp://[user:password@]host[:port]` names. Raises SettingsError, which repeats none of it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(_HOW) from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    rest = parts.path.strip("/") or parts.query or parts.fragment  # of a password with / ? or # in it
    if parts.scheme not in _PORTS or not host or rest or port == 0 or bool(user) != bool(password):
        raise SettingsError(_HOW)
    login = (user, password) if user else None
    return Server(host, port or _PORTS[parts.scheme], parts.scheme == "smtps", login)


@dataclass(slots=True)
class _Line:
    """A connection to the server while a thread works on it."""

    smtp: smtplib.SMTP | None = None
    accepted: bool = False

    def cut(self) -> None:
        """End whatever the thread still waits for."""
        sock = self.smtp.sock if self.smtp is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                # The plain method: that of a TLS socket lets go of TLS first, and what the thread writes then is open.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Plain(smtplib.SMTP):
    """A connection that can be cut while it is being made."""

    def __init__(self, line: _Line, server: Server, name: str, patience: float) -> None:
        line.smtp = self
        super().__init__(server.host, server.port, name, patience)


class _Secure(smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""

    def __init__(self, line: _Line, server: Server, name: str, patience: float, context: ssl.SSLContext) -> None:
        line.smtp = self
        super().__init__(server.host, server.port, name, timeout=patience, context=context)


class SmtpMail:
    """Fulfils `bot.ports.Mail`. `url` as in `server_of`; `sender` is the address in `From`.

    A server elsewhere must offer TLS with a certificate that `context` trusts (None: as the system does). `patience` is
    in seconds and for the whole of one mail. Raises SettingsError.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        clock: Clock,
        *,
        context: ssl.SSLContext | None = None,
        patience: float = TIMEOUT_SECONDS,
    ) -> None:
        self._server = server_of(url)
        if not _is_address(sender):
            raise SettingsError("The sender of mails must be one plain address, such as billing@example.com.")
        if self._server.login is not None:
            register_secret(self._server.login[1])
        self._sender = sender
        self._domain = sender.rpartition("@")[2]
        self._clock = clock
        self._context = context or ssl.create_default_context()
        self._patience = patience
        self._lines = asyncio.Semaphore(MOST_AT_ONCE)

    async def send(self, to: str, subject: str, text: str) -> None:
        """Hand one mail to the server. Raises Unavailable("mail"), for an impossible address or subject too."""
        if not await self._sent(to, subject, text):
            # Raised outside of any handler: a server's error names the address, and would hang on as the context.
            raise Unavailable("mail")

    async def _sent(self, to: str, subject: str, text: str) -> bool:
        if not _is_address(to) or not _is_subject(subject):
            log.warning("a mail was refused: its address or its subject cannot be one")
            return False
        async with self._lines:
            line = _Line()
            try:
                async with asyncio.timeout(self._patience):
                    await asyncio.to_thread(self._deliver, line, to, self._message(to, subject, text))
            except (OSError, ValueError) as error:  # SMTP's, TLS's and time-outs are OSErrors all
                if not line.accepted:
                    log.warning("a mail was not sent: %s, SMTP %s", type(error).__name__, _number(error))
            finally:
                line.cut()
            return line.accepted

    def _message(self, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage(_POLICY)
        message["From"] = self._sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = self._clock.now()
        message["Message-ID"] = f"<{self._clock.new_id('mail')}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"  # so that nobody's holiday notice answers
        message.set_content(text)
        return message

    def _deliver(self, line: _Line, to: str, message: EmailMessage) -> None:
        """In a thread. Raises OSError and ValueError only."""
        smtp = self._connect(line)
        try:
            if self._server.login is not None:
                smtp.login(*self._server.login)
            # Not send_message(): that changes lines that begin with "From ".
            smtp.sendmail(self._sender, [to], message.as_bytes())
            line.accepted = True
            smtp.quit()
        finally:
            smtp.close()

    def _connect(self, line: _Line) -> smtplib.SMTP:
        """A greeted server, over TLS or on this machine."""
        server = self._server
        # Our name is given: to find this machine's own can take a name server's time.
        if server.secure:
            return _Secure(line, server, self._domain, self._patience, self._context)
        smtp = _Plain(line, server, self._domain, self._patience)
        try:
            smtp.ehlo_or_helo_if_needed()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=self._context)
            elif not server.here:
                raise smtplib.SMTPNotSupportedError
        except (OSError, ValueError):
            smtp.close()
            raise
        return smtp


def _is_address(value: str) -> bool:
    """Whether it is one plain address: no name, no list, no line break."""
    return len(value) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(value) is not None


def _is_subject(value: str) -> bool:
    """Whether it fits one line. `=?` begins an encoded word: `EmailMessage` reads it, line breaks in it included."""
    return len(value) <= _LONGEST_SUBJECT and _NOT_IN_A_LINE.search(value) is None and "=?" not in value


def _number(error: Exception) -> int | None:
    """SMTP's answer, as a number: its words may hold the address."""
    if isinstance(error, smtplib.SMTPResponseException):
        return int(error.smtp_code)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((int(code) for code, _ in error.recipients.values()), None)
    return None
