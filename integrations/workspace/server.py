"""The HTTP server: Web API, Socket Mode, page. One port, this machine only."""

from __future__ import annotations

import errno
import mimetypes
from pathlib import Path

from aiohttp import web

from integrations.workspace.core import Core
from integrations.workspace.errors import PortInUse
from integrations.workspace.page.api import PageApi
from integrations.workspace.page.feed import PageFeed
from integrations.workspace.people import People
from integrations.workspace.security import HOSTS, add_headers, guard, own_hosts
from integrations.workspace.webapi.endpoint import WebApi

_STATIC = Path(__file__).parent / "static"
_MAX_BODY = 2 * 1024 * 1024  # 40,000 characters take at most half a megabyte as a form
_SHUTDOWN_SECONDS = 1.0


class Server:
    """Serves one workspace. `start` and `stop` may each be called once."""

    def __init__(self, core: Core, people: People) -> None:
        self._core = core
        self._feed = PageFeed(core)
        self._web_api = WebApi(core)
        self._page_api = PageApi(core, people, self._feed)
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Bind and serve; returns the port. Raises `PortInUse`."""
        config = self._core.config
        app = web.Application(middlewares=[guard], client_max_size=_MAX_BODY)
        app.on_response_prepare.append(add_headers)
        app.add_routes(
            [
                web.route("*", "/api/{method}", self._web_api.handle),
                web.get("/link/", self._core.hub.serve),
                web.get("/", _index),
                web.get("/static/{name}", _static_file),
                web.get("/archives/{channel}/{ts}", self._permalink),
                *self._page_api.routes(),
            ]
        )
        # The port is known only after binding, and the application is frozen by then: hence a set to fill.
        hosts: set[str] = set()
        app[HOSTS] = hosts
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, config.host, config.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(config.port) from error
            raise
        port = int(self._runner.addresses[0][1])
        hosts.update(own_hosts(port))
        return port

    async def stop(self) -> None:
        """Close pages, sockets and the port."""
        self._feed.close()
        await self._core.hub.close_all()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _permalink(self, request: web.Request) -> web.StreamResponse:
        """Lead from a permalink to the page, acting as the first human who is in the conversation."""
        directory = self._core.directory
        channel = directory.channels.get(request.match_info["channel"])
        digits = request.match_info["ts"].removeprefix("p")
        humans = [user for user in channel.members if not directory.people[user].is_bot] if channel else []
        if channel is None or not humans or not digits.isdecimal():
            raise web.HTTPNotFound(text="There is no such message.")
        ts = f"{digits[:-6]}.{digits[-6:]}"
        root = self._core.messages.root_of(channel.id, ts)
        place = f"t/{root}" if root else f"m/{ts}"
        raise web.HTTPFound(f"/#/{humans[0]}/{channel.id}/{place}")


async def _index(_: web.Request) -> web.StreamResponse:
    return _file("index.html")


async def _static_file(request: web.Request) -> web.StreamResponse:
    return _file(request.match_info["name"])


def _file(name: str) -> web.StreamResponse:
    """A file of the flat static folder. Names are looked up in its listing, so none can lead out of it."""
    known = {path.name: path for path in _STATIC.iterdir() if path.is_file()}
    if name not in known:
        raise web.HTTPNotFound(text="There is no such file.")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if kind.startswith("text/") or kind.endswith("svg+xml") else ""
    headers = {"Content-Type": kind + charset, "Cache-Control": "no-cache"}
    return web.Response(body=known[name].read_bytes(), headers=headers)
