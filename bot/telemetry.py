"""Logging that cannot leak, and counters.

One handler on the root logger; a filter on that handler redacts every record that reaches it, whichever library
wrote it: message, arguments, exception, stack and extra attributes. Libraries that bring handlers of their own
are adopted: of those we use that is `dbos` alone (a console handler, propagation off). `slack_bolt` and
`slack_sdk` propagate and hold at most a NullHandler, but Bolt copies the root logger's level when an app is
made, so configure first. `alembic` propagates unless an env.py calls fileConfig(), and ours must not.
`chromadb`, `aiohttp`, `openai` and `stripe` propagate.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO
from urllib.parse import quote, quote_plus

from bot.domain.redaction import redacted

trace_id: ContextVar[str] = ContextVar("trace_id", default="-")
"""What the work at hand belongs to, shown in each line: set it where a turn, an intake or a post begins."""

MASK = "[secret removed]"
SHORTEST_MASKED = 6
"""Characters. A shorter value would mask ordinary words, so it is not masked."""

_FORMAT = "%(asctime)s %(levelname)s %(name)s [%(trace_id)s] %(message)s"
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"taskName", "asctime"}
_EXCEPTIONS = logging.Formatter()

_lock = threading.Lock()
_secrets: set[str] = set()
_secret_pattern: re.Pattern[str] | None = None
_counters: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}


# ---- logging ---------------------------------------------------------------------------------------------------


def configure_logging(level: str, *, stream: TextIO) -> None:
    """Send every record of `level` (a name such as "INFO") and above, redacted, to `stream`, and nowhere else.

    Warnings of the interpreter and exceptions that nobody caught, in any thread, take the same way: the
    interpreter would print them raw.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_LineFormatter(_FORMAT))
    handler.addFilter(RedactingFilter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    sys.unraisablehook = _log_unraisable


def adopt(logger_name: str) -> None:
    """Take a library's logger back from its own handlers, so that its records pass ours.

    A NullHandler stays behind: dbos puts its console handler back whenever its logger has none.
    """
    logger = logging.getLogger(logger_name)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.addHandler(logging.NullHandler())
    logger.propagate = True


def register_secret(value: str) -> None:
    """Mask this value wherever a record holds it, also as it is written in URLs, JSON and reprs."""
    global _secret_pattern
    if len(value) < SHORTEST_MASKED:
        return
    in_url = quote(value, safe="")
    written = {
        value,
        in_url,
        in_url.lower(),
        quote(value),
        quote_plus(value),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
    }
    with _lock:
        _secrets.update(written)
        _secret_pattern = re.compile("|".join(map(re.escape, sorted(_secrets, key=len, reverse=True))))


_TICKET = re.compile(r"([?&]ticket=)[^&\s'\"]+")
"""What opens a socket, in the addresses that Slack hands out: the SDK logs them."""


class RedactingFilter(logging.Filter):
    """Redacts a record in place. Belongs on a handler: filters on a logger miss what its children write."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: a record that cannot be redacted is replaced by a line that says so, and names its logger."""
        try:
            _redact_record(record)
        except Exception:  # noqa: BLE001  an argument's __str__ may raise anything; logging must neither fail nor leak
            _withhold(record)
        return True


class _LineFormatter(logging.Formatter):
    """One line a record. Further lines (tracebacks, pasted text) are indented, so that none can pose as a record."""

    def format(self, record: logging.LogRecord) -> str:
        record.trace_id = _clean(trace_id.get())
        return "\n    ".join(super().format(record).splitlines())

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  its name
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _redact_record(record: logging.LogRecord) -> None:
    record.msg, record.args = _clean(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = _EXCEPTIONS.formatException(record.exc_info)
        record.exc_info = None
    if record.exc_text:
        record.exc_text = _clean(record.exc_text)
    if record.stack_info:
        record.stack_info = _clean(record.stack_info)
    for name in vars(record).keys() - _STANDARD:
        setattr(record, name, _clean_value(getattr(record, name)))


def _withhold(record: logging.LogRecord) -> None:
    for name in vars(record).keys() - _STANDARD:
        delattr(record, name)
    record.msg, record.args = "a record of %s could not be redacted and is withheld", (record.name,)
    record.exc_info = record.exc_text = record.stack_info = None


def _clean_value(value: object) -> object:
    """The value itself when its text holds nothing to remove, else that text, cleaned."""
    text = value if isinstance(value, str) else repr(value)
    clean = _clean(text)
    return value if clean == text else clean


def _clean(text: str) -> str:
    """Registered secrets first, while they are whole, then everything else that redaction knows."""
    known = _secret_pattern.sub(MASK, text) if _secret_pattern else text
    return redacted(_TICKET.sub(rf"\1{MASK}", known))


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("uncaught").critical("uncaught exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _log_unraisable(args: sys.UnraisableHookArgs) -> None:
    if args.exc_value is not None:
        _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


# ---- counters --------------------------------------------------------------------------------------------------


def count(name: str, **labels: str) -> None:
    """Add one to a counter of this process. Labels come from closed lists, never from a customer's text."""
    key = (name, tuple(sorted(labels.items())))
    with _lock:
        _counters[key] = _counters.get(key, 0) + 1


def counters() -> Mapping[tuple[str, tuple[tuple[str, str], ...]], int]:
    """A copy of all counters, by name and sorted labels."""
    with _lock:
        return dict(_counters)
