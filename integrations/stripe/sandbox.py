"""A Stripe on this machine: made-up customers of `story.yaml`, behind Stripe's API for reading.

    async with Sandbox() as sandbox:
        client = stripe.StripeClient(sandbox.key, base_addresses={"api": sandbox.url})

Answers as API 2026-10-28 does: lists, single objects, `expand`, errors, rate limits, restricted keys. It cannot be
written to: all that is not GET is kept in `writes` and refused. `python -m integrations.stripe.sandbox` runs it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import errno
import itertools
import json
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from aiohttp import web

from bot.errors import PortInUse, UsageError
from integrations.stripe import sandbox_errors as errors
from integrations.stripe import sandbox_page
from integrations.stripe.sandbox_books import Books, Query
from integrations.stripe.sandbox_errors import READS, Fault, Ill, Json, Refusal
from integrations.stripe.sandbox_loader import STORY, load
from integrations.stripe.sandbox_story import Story

VERSION: Final = "2026-10-28.endive"
HOST: Final = "127.0.0.1"
REMEMBERED: Final = 10_000
"""Requests; older ones are forgotten."""

_DEFAULT_PORT = 3002
_PATH = re.compile(rf"/v1/(?P<name>{'|'.join(READS)})(?:/(?P<id>[^/]+)(?P<refunds>/refunds)?)?")
_PAGE = re.compile(r"/(?:receipts/(?=ch_)|invoices/(?=in_))(?P<id>[A-Za-z0-9_]+)")
_REFUSALS: Final[Mapping[Ill, Callable[[], Refusal]]] = {
    "error": errors.broken,
    "busy": errors.busy,
    "locked": errors.locked,
}
_SECOND: Final = timedelta(seconds=1)
_SHUTDOWN_SECONDS = 1.0


class Clock(Protocol):
    """As much of `bot.ports.Clock` as is needed."""

    def now(self) -> datetime: ...


class SystemClock:
    """The time that it is."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked. `query` as it stood in the address, decoded."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()


class Sandbox:
    """One running sandbox. Times of the story are counted from when it starts.

    `per_second`: more requests than that in a second of `clock` are answered 429. Raises BadStory, and on entering
    PortInUse.
    """

    def __init__(
        self,
        story: Story | Path = STORY,
        *,
        clock: Clock | None = None,
        port: int = 0,
        per_second: int | None = None,
    ) -> None:
        self.story = load(story) if isinstance(story, Path) else story
        self.per_second = per_second
        self.faults: list[Fault] = []
        self._clock: Clock = clock or SystemClock()
        self._port = port
        self._requests: deque[Request] = deque(maxlen=REMEMBERED)
        self._recent: deque[datetime] = deque()
        self._numbers = itertools.count(1)
        self._well = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._books: Books | None = None
        self.url = ""

    @property
    def key(self) -> str:
        """The key that may read the most."""
        return next(iter(self.story.keys))

    @property
    def keys(self) -> Mapping[str, frozenset[str]]:
        """What each key may read."""
        return self.story.keys

    @property
    def requests(self) -> list[Request]:
        """What was asked, in order."""
        return list(self._requests)

    @property
    def writes(self) -> list[Request]:
        """Requests that were no readings. There should be none."""
        return [one for one in self._requests if one.method != "GET"]

    @property
    def books(self) -> Books:
        """Everything that is there, to look at and to change while it runs."""
        if self._books is None:
            raise RuntimeError("the sandbox does not run")
        return self._books

    async def until_asked(self, number: int = 1) -> None:
        """Wait until so many requests have come."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self._requests) >= number)

    def forget(self) -> None:
        """Begin `requests` again."""
        self._requests.clear()

    def fault(self, ill: Ill, *, path: str = "/", times: int = 1, seconds: float = 0.0) -> None:
        """Let the next requests below a path fail; `times=-1`: all, until `well`."""
        self.faults.append(Fault(ill, path, times, seconds))

    def well(self) -> None:
        """No more faults; what one still held is answered."""
        self.faults.clear()
        self._well.set()
        self._well = asyncio.Event()

    # ---- running -----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024)
        app.router.add_route("*", "/{rest:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(self._port) from error
            raise
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"
        self._books = Books(self.story, self._clock.now(), self.url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._well.set()
        if self._runner is not None:
            await self._runner.cleanup()

    # ---- answering ---------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        query = tuple(request.query.items())
        self._requests.append(Request(request.method, request.path, query))
        async with self._arrived:
            self._arrived.notify_all()
        fault = self._next_fault(request.path)
        if fault is not None and fault.seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._well.wait(), fault.seconds)
        if fault is not None and fault.ill == "drop":
            return _dropped(request)
        if request.method == "GET" and (page := self._page(request.path)) is not None:
            return page
        try:
            if fault is not None and fault.ill in _REFUSALS:
                raise _REFUSALS[fault.ill]()
            self._count()
            found = self._found(request, query)
        except Refusal as refusal:
            return self._response(refusal.body, refusal.status, refusal.headers)
        return self._response(found, half=fault is not None and fault.ill == "half")

    def _next_fault(self, path: str) -> Fault | None:
        found = next((fault for fault in self.faults if path.startswith(fault.path)), None)
        if found is not None and found.times > 0:
            found.times -= 1
            if found.times == 0:
                self.faults.remove(found)
        return found

    def _count(self) -> None:
        """Raises Refusal when there were too many requests in the last second."""
        if self.per_second is None:
            return
        now = self._clock.now()
        while self._recent and now - self._recent[0] >= _SECOND:
            self._recent.popleft()
        if len(self._recent) >= self.per_second:
            raise errors.busy()
        self._recent.append(now)

    def _page(self, path: str) -> web.Response | None:
        """A receipt or an invoice, to be opened in a browser without a key."""
        found = _PAGE.fullmatch(path)
        if found is None:
            return None
        try:
            about = self.books.get(found["id"])
        except KeyError:
            return web.Response(text="There is no such page.", status=404, headers=sandbox_page.HEADERS)
        show = sandbox_page.receipt if about["object"] == "charge" else sandbox_page.bill
        return web.Response(text=show(about), content_type="text/html", headers=sandbox_page.HEADERS)

    def _found(self, request: web.Request, query: Query) -> Json:
        """What was asked for. Raises Refusal."""
        key = _key_in(request)
        may = self.keys.get(key)
        if may is None:
            raise errors.bad_key(key)
        found = _PATH.fullmatch(request.path)
        if request.method != "GET":
            permission = f"rak_{READS[found['name']]}_write" if found else "rak_accounts_kyc_basic_write"
            raise errors.not_allowed(key, permission)
        if found is None or (found["refunds"] and found["name"] != "charges"):
            raise errors.unrecognised(request.method, request.path)
        if found["refunds"]:
            return self.books.refunds_of(found["id"], query, key, may)
        if found["id"]:
            return self.books.one(found["name"], found["id"], query, key, may)
        return self.books.listed(found["name"], query, key, may)

    def _response(
        self, body: Json, status: int = 200, headers: Mapping[str, str] | None = None, *, half: bool = False
    ) -> web.Response:
        text = json.dumps(body)
        known = {"Request-Id": f"req_sandbox{next(self._numbers):06d}", "Stripe-Version": VERSION}
        return web.Response(
            text=text[: len(text) // 2] if half else text,
            status=status,
            content_type="application/json",
            headers={**known, **(headers or {})},
        )


def _key_in(request: web.Request) -> str:
    """The key, as a bearer's or as the name of basic authentication. Raises Refusal."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and given.strip():
        return given.strip()
    if kind.lower() != "basic":
        raise errors.no_key()
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0]
    except ValueError:
        raise errors.no_key() from None


def _dropped(request: web.Request) -> web.Response:
    """No answer: whoever asked sees a connection that was closed."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


# ---- the command -----------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Run a sandbox until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m integrations.stripe.sandbox", description="A Stripe to read from.")
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT, help="0 takes any free one (default %(default)s)")
    parser.add_argument("--story", type=Path, metavar="FILE", default=STORY, help="who has what (default: story.yaml)")
    parser.add_argument("--rate", type=int, metavar="N", help="answer 429 to more requests than N a second")
    given = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(Sandbox(given.story, port=given.port, per_second=given.rate)))
    except UsageError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 2
    return 0


async def _serve(sandbox: Sandbox) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with sandbox:
        lines = [f"Stripe sandbox  {sandbox.url}"]
        for key, may in sandbox.keys.items():
            lines.append(f"  STRIPE_API_KEY={key}   reads {', '.join(sorted(may)) or 'nothing'}")
        print("\n".join([*lines, "Ctrl-C stops it."]), flush=True)  # noqa: T201 - a command
        await stopping.wait()


if __name__ == "__main__":
    sys.exit(main())
