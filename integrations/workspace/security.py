"""What keeps other sites and machines out: on this page anyone can act as anyone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def _refuse(message: str) -> web.Response:
    return web.json_response({"ok": False, "error": "forbidden", "message": message}, status=403)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign ``Host`` (DNS rebinding), foreign ``Origin`` and cross-site requests (forged calls), and calls
    of the page API without the header that no other site's form or image can send."""
    hosts = request.app[HOSTS]
    if request.headers.get("Host", "").lower() not in hosts:
        return _refuse("This workspace answers only to its own address.")
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() not in {f"http://{host}" for host in hosts}:
        return _refuse("Requests from other sites are refused.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return _refuse("Requests from other sites are refused.")
    if request.path.startswith("/page/") and request.headers.get("X-Workspace") != "page":
        return _refuse("The header X-Workspace: page is missing.")
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every response."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def own_hosts(port: int) -> frozenset[str]:
    """The ``Host`` values a workspace on this port answers to."""
    names = ("127.0.0.1", "localhost", "[::1]")
    return frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == 80 else frozenset())


HOSTS: web.AppKey[set[str]] = web.AppKey("hosts", set)
