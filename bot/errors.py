"""The errors of Handrail, one tree.

    HandrailError
    ├── UsageError                  the operator can mend it; str() says what to do; the CLI prints it and exits 2
    │   ├── SettingsError           a setting is missing, malformed or contradicts another
    │   ├── DataDirError            DATA_DIR is read-only, full or held by another process
    │   ├── PortInUse               a port that we were told to listen on is taken
    │   ├── ArticleError            an article file breaks the format
    │   ├── BadStory                a story of the Stripe sandbox breaks its format (integrations.stripe)
    │   └── EnvironmentUnfit        interpreter, SQLite or a package cannot carry us
    ├── DeliveryError               posting to Slack did not succeed
    │   ├── DeliveryRefused         never will (channel gone, not a member…): `code`
    │   └── DeliveryDeferred        may later (rate limit, outage): `code`, `retry_after` seconds or None
    ├── Conflict                    another unit of work changed the row first; read again
    ├── NotFound                    no such row; `what`, `id`
    └── Unavailable                 an edge is down; `edge`

What a customer reads is chosen by type, never from str(error).
"""

from __future__ import annotations


class HandrailError(Exception):
    """Base of everything that Handrail raises on purpose."""


class UsageError(HandrailError):
    """Something the operator can mend. str() is one or two sentences that say what to do."""


class SettingsError(UsageError):
    """A setting is missing, malformed or contradicts another one."""


class DataDirError(UsageError):
    """DATA_DIR is read-only, full, or held by another process."""


class PortInUse(UsageError):
    """A port that we were told to listen on is taken."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} is in use. Stop what listens there, or choose another one with --port.")
        self.port = port


class ArticleError(UsageError):
    """An article file breaks the format. `path` is the file's name, `problems` one line each."""

    def __init__(self, path: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"{path}: " + "; ".join(problems))
        self.path = path
        self.problems = problems


class EnvironmentUnfit(UsageError):
    """The interpreter, its SQLite or an installed package cannot carry Handrail."""


class DeliveryError(HandrailError):
    """Posting to Slack did not succeed. `code` is Slack's error code or a transport's name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DeliveryRefused(DeliveryError):
    """Slack will never take this post: the channel is gone, we are not in it, the text is too long…"""


class DeliveryDeferred(DeliveryError):
    """Slack may take it later. `retry_after` is in seconds, None when Slack did not say.

    `maybe_stored` is True when the post may have been stored although no response came.
    """

    def __init__(self, code: str, retry_after: float | None = None, *, maybe_stored: bool = True) -> None:
        super().__init__(code)
        self.retry_after = retry_after
        self.maybe_stored = maybe_stored


class Conflict(HandrailError):
    """Another unit of work changed the row first: read again and decide again."""


class NotFound(HandrailError):
    """There is no such row."""

    def __init__(self, what: str, id: str) -> None:
        super().__init__(f"no {what} {id}")
        self.what = what
        self.id = id


class Unavailable(HandrailError):
    """An edge that we depend on is down. `edge` names it."""

    def __init__(self, edge: str) -> None:
        super().__init__(edge)
        self.edge = edge
