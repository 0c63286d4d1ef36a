"""A transport for Stripe's SDK that can only read.

What it lets through is stated, and all else is refused before a connection is made: GET, no body, one origin, lists
and single objects of a few kinds. It says who we are with headers of its own, so no option of the SDK (another key,
another account, telemetry) reaches the wire. Redirects are not followed, proxies and cookies not used.

Importing this imports `stripe` (0.2 s): import it where it is needed.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import aiohttp
import stripe
from yarl import URL

from bot.errors import SettingsError

DEFAULT_URL: Final = "https://api.stripe.com"
READABLE: Final = (
    "charges",
    "customers",
    "disputes",
    "invoice_payments",
    "invoices",
    "payment_intents",
    "prices",
    "products",
    "refunds",
    "subscriptions",
)
MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes of an answer. A hundred charges with everything expanded have less than one million."""
MAX_CONNECTIONS: Final = 50
SECONDS: Final = 10.0
"""For one request; what is read in several has a budget of its own."""

_PATH = re.compile(rf"/v1/(?:{'|'.join(READABLE)})(?:/[a-z]+_[A-Za-z0-9_]{{1,200}})?")
_QUERY = re.compile(r"[A-Za-z0-9_.~%+&=\[\]-]*")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_KEY = re.compile(r"(?P<kind>rk|sk)_(?!(?:test|live)_?$)[A-Za-z0-9_]+")
_WORD = re.compile(r"[a-z0-9_]{1,60}")
_PERMISSION = re.compile(r"\brak_[a-z_]{1,60}\b")


class NotAReading(ValueError):
    """Something was asked of the client that is no reading, or none that we need. Never sent; a mistake of ours."""


def checked_key(key: str, *, allow_secret: bool = False) -> str:
    """The key, if it may be used. Raises SettingsError, which never holds it."""
    found = _KEY.fullmatch(key)
    if found is None:
        raise SettingsError("STRIPE_API_KEY is no restricted key of Stripe: it begins with rk_test_ or rk_live_.")
    if found["kind"] == "sk" and not allow_secret:
        raise SettingsError(
            "STRIPE_API_KEY is a secret key, which can change everything. Make a restricted key (rk_…) that can only "
            "read, or set STRIPE_ALLOW_SECRET_KEY=1."
        )
    return key


def checked_origin(base_url: str) -> str:
    """`https://host` or, on this machine alone, `http://host:port`. Raises SettingsError."""
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SettingsError("STRIPE_API_URL is no address.") from None
    plain = parts.scheme == "http" and host in _LOOPBACK
    bare = f"{parts.scheme}://{parts.netloc}"
    if not (parts.scheme == "https" or plain) or not host or "@" in bare or base_url.rstrip("/") != bare:
        raise SettingsError("STRIPE_API_URL must be https://host without a path; http only on this machine.")
    return bare


class ReadOnlyClient(stripe.HTTPClient):
    """Carries the SDK's requests, if they are readings. Raises NotAReading, or the SDK's APIConnectionError."""

    name = "handrail"

    def __init__(self, key: str, base_url: str = DEFAULT_URL, *, allow_secret: bool = False) -> None:
        super().__init__()
        if os.environ.get("STRIPE_LOG") or stripe.log:
            raise SettingsError("Unset STRIPE_LOG: it makes Stripe's library print customers' addresses.")
        self.origin = checked_origin(base_url)
        self._headers = {
            "Authorization": f"Bearer {checked_key(key, allow_secret=allow_secret)}",
            "Stripe-Version": stripe.api_version,
            "User-Agent": "Handrail",
        }
        if "_live_" in key and self.origin.startswith("http:"):
            raise SettingsError("A live key is sent to https addresses only: see STRIPE_API_URL.")
        self._session: aiohttp.ClientSession | None = None
        stripe.enable_telemetry = False
        # At INFO the SDK logs the address of every request, which holds e-mails, and at DEBUG all answers.
        logging.getLogger("stripe").setLevel(logging.WARNING)

    def target(self, method: str, url: str, body: object = None) -> str:
        """Path and query to send, as they are. Raises NotAReading for all that may not be sent."""
        if method.lower() != "get":
            raise NotAReading(f"{method.upper()[:10]!r} is not GET")
        if body is not None:
            raise NotAReading("a reading has no body")
        rest = url.removeprefix(self.origin)
        if rest == url:
            raise NotAReading("another origin")
        path, _, query = rest.partition("?")
        if not _PATH.fullmatch(path) or not _QUERY.fullmatch(query):
            raise NotAReading("the path is not one of those we read")
        return rest

    # ---- asynchronous ------------------------------------------------------------------------------------------

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        address = URL(self.origin + self.target(method, url, post_data), encoded=True)
        try:
            async with self._open().get(address, allow_redirects=False) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > MAX_BODY:
                        _fail("the answer is too large")
                return _answer(bytes(body), response.status, response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _fail(type(error).__name__)

    async def request_stream_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> NoReturn:
        raise NotAReading("files are not read")

    async def close_async(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=SECONDS),
                trust_env=False,
            )
        return self._session

    # ---- synchronous -------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        target = self.target(method, url, post_data)
        secure, _, host = self.origin.partition("://")
        kind = http.client.HTTPSConnection if secure == "https" else http.client.HTTPConnection
        connection = kind(host, timeout=SECONDS)
        try:
            connection.request("GET", target, headers=self._headers)
            response = connection.getresponse()
            body = response.read(MAX_BODY + 1)
        except (OSError, http.client.HTTPException) as error:
            _fail(type(error).__name__)
        finally:
            connection.close()
        if len(body) > MAX_BODY:
            _fail("the answer is too large")
        read, status, useful = _answer(body, response.status, dict(response.headers.items()))
        return read.decode("utf-8", "replace"), status, useful

    def request_stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> NoReturn:
        raise NotAReading("files are not read")

    def close(self) -> None:
        """Nothing stays open between synchronous requests."""


def _fail(what: str) -> NoReturn:
    """Names no address and no header: they hold what was asked, and the key."""
    raise stripe.APIConnectionError(what) from None  # type: ignore[no-untyped-call]  # its own has no types


def _answer(body: bytes, status: int, headers: Mapping[str, str]) -> tuple[bytes, int, Mapping[str, str]]:
    """What the SDK gets to see. The text of an error can repeat what was asked and say anything, and the SDK trips over
    odd ones: only its code, type and the permission that it names go on. Of the headers: what we use."""
    useful = {name.lower(): text for name, text in headers.items() if name.lower() in ("request-id", "retry-after")}
    if 200 <= status < 300:
        return body, status, useful
    return json.dumps({"error": _error_in(body)}).encode(), status, useful


def _error_in(body: bytes) -> dict[str, str]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = parsed.get("error") if isinstance(parsed, dict) else None
    if not isinstance(error, dict):
        return {}
    known = {name: error[name] for name in ("type", "code") if _WORD.fullmatch(str(error.get(name)))}
    permissions = sorted(set(_PERMISSION.findall(str(error.get("message")))))
    return {name: str(value) for name, value in known.items()} | {"message": " ".join(permissions[:5])}
