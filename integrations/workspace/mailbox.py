"""Mail of the people here, as plain text: what an app sends them outside of Slack arrives on the page instead.

Held in memory alone, never in the state file: a mail may hold a one-time code.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from integrations.workspace.changes import Changes
from integrations.workspace.clock import Clock
from integrations.workspace.errors import NotAllowed

MAX_ADDRESS = 254
MAX_SUBJECT = 200
MAX_TEXT = 20_000
KEPT = 200

_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that arrived. ``ts`` is workspace time as Slack writes it."""

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    ts: str


class Mailbox:
    """The newest mails of everybody. An address is compared without regard to case."""

    def __init__(self, clock: Clock, changes: Changes) -> None:
        self._clock = clock
        self._changes = changes
        self._mails: deque[Mail] = deque(maxlen=KEPT)
        self._read: dict[str, str] = {}  # address → ts of the newest mail that was seen

    def deliver(self, to: str, subject: str, text: str) -> None:
        """Take a mail. Raises `NotAllowed` for what no mail can be; nobody's address is no error, as with real mail."""
        for value, most in ((to, MAX_ADDRESS), (subject, MAX_SUBJECT)):
            if len(value) > most or _NOT_IN_A_LINE.search(value):
                raise NotAllowed("invalid_arguments", "An address and a subject are one short line each.")
        if "@" not in to or len(text) > MAX_TEXT:
            raise NotAllowed("invalid_arguments", f"A mail has an address and at most {MAX_TEXT} characters.")
        self._mails.append(Mail(to, subject, text, self._clock.ts()))
        self._changes.tell("mail", address=_key(to))

    def of(self, address: str) -> list[Mail]:
        """The mails to an address, newest first. No address: none."""
        wanted = _key(address)
        return [mail for mail in reversed(self._mails) if wanted and _key(mail.to) == wanted]

    def unread(self, address: str) -> int:
        """How many mails came since somebody last looked."""
        seen = self._read.get(_key(address), "")
        return sum(mail.ts > seen for mail in self.of(address))

    def mark(self, address: str) -> None:
        """All mails to an address are seen."""
        if self.unread(address):
            self._read[_key(address)] = self.of(address)[0].ts
            self._changes.tell("mail", address=_key(address))

    @staticmethod
    def same(one: str, other: str) -> bool:
        """Whether two addresses are one mailbox."""
        return _key(one) == _key(other)


class HasMailbox(Protocol):
    """A running `Workspace`."""

    @property
    def mailbox(self) -> Mailbox: ...


class WorkspaceMail:
    """Sends mail into a workspace: what a bot is given in a demo instead of a mail server. It has the shape that a bot
    wants, so that none of it need be known here."""

    def __init__(self, workspace: HasMailbox) -> None:
        self._workspace = workspace

    async def send(self, to: str, subject: str, text: str) -> None:
        """Deliver at once. Raises `NotAllowed`, and RuntimeError while the workspace does not run."""
        self._workspace.mailbox.deliver(to, subject, text)


def _key(address: str) -> str:
    return address.strip().casefold()
