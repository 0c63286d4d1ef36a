"""Errors of the local workspace.

WorkspaceError
├── PortInUse          the port belongs to another process
├── StoreUnavailable   the state file cannot be opened, read or written
├── BadSeed            the people and channels given do not fit together
├── NoSuchThing        a person, channel, message or view that does not exist (acting as people)
├── NotAllowed         a person may not do this (acting as people)
└── ApiError           what a Web API method answers: Slack's code, never an HTTP error
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class WorkspaceError(Exception):
    """Base of everything this package raises on purpose."""


class PortInUse(WorkspaceError):
    """The address cannot be bound; the message says what to do."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} is already in use. Stop the other program, or choose another port (0 takes any free one)."
        )
        self.port = port


class StoreUnavailable(WorkspaceError):
    """The state file cannot be used: read-only, full, damaged, or held by another process."""

    def __init__(self, path: Path | None, reason: str) -> None:
        super().__init__(f"The workspace cannot use its state file {path or '(memory)'}: {reason}")
        self.path = path
        self.reason = reason


class BadSeed(WorkspaceError):
    """A seed names somebody or something that it does not define."""


class NoSuchThing(WorkspaceError):
    """A person acted on something that does not exist; ``kind`` is Slack's error code for it."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind}: {name}")
        self.kind = kind
        self.name = name


class NotAllowed(WorkspaceError):
    """A person tried something Slack's client would not offer; ``kind`` is a short code."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ApiError(WorkspaceError):
    """An ``{"ok": false, "error": code}`` answer.

    ``messages`` becomes ``response_metadata.messages``, the place where Slack explains a refused block.
    """

    def __init__(self, code: str, *messages: str, **extra: Any) -> None:
        super().__init__(f"{code}: {'; '.join(messages)}" if messages else code)
        self.code = code
        self.messages = messages
        self.extra = extra
