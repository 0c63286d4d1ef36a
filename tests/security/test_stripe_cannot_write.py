"""Every method of Stripe's SDK, called through our client against a server that records: none can write.

The allow list is written down here a second time: whoever widens it has to say so twice.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import re
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from bot.errors import SettingsError
from integrations.stripe.readonly import NotAReading, ReadOnlyClient, checked_key, checked_origin
from tests.fakes.stripe_server import stripe_server

KEY = "rk_test_brute"
ALLOWED = re.compile(
    r"/v1/(charges|customers|disputes|invoice_payments|invoices|payment_intents|prices|products|refunds|subscriptions)"
    r"(/xx_1)?(\?.*)?"
)
LOCAL_FAULTS = (AttributeError, LookupError, NotImplementedError, TypeError, ValueError, stripe.StripeError)
"""What a call that our made-up arguments do not suit ends with, before or after it asks the client."""


@dataclass
class Recorder:
    """What reached the server: (method, path with query, body)."""

    url: str = ""
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)


@contextmanager
def recording_server() -> Iterator[Recorder]:
    """A server in a thread of its own, for calls that block."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            recorder.seen.append((self.command, self.path, body))
            answer = b'{"object": "list", "data": [], "has_more": false, "url": "/v1/charges"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    recorder.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Watched(ReadOnlyClient):
    """Notes what was asked of it before deciding as ever."""

    def __init__(self, key: str, base_url: str) -> None:
        super().__init__(key, base_url)
        self.asked: Counter[str] = Counter()

    def target(self, method: str, url: str, body: object = None) -> str:
        self.asked[method.lower()] += 1
        return super().target(method, url, body)

    def request_stream(self, method: str, url: str, *args: Any, **more: Any) -> Any:
        self.asked["stream"] += 1
        return super().request_stream(method, url, *args, **more)

    async def request_stream_async(self, method: str, url: str, *args: Any, **more: Any) -> Any:
        self.asked["stream"] += 1
        return await super().request_stream_async(method, url, *args, **more)


def services(root: object) -> Iterator[object]:
    """A service and all below it."""
    yield root
    for name in vars(type(root)).get("__annotations__", {}):
        if not name.startswith("_"):
            yield from services(getattr(root, name))


def methods(service: object) -> Iterator[Callable[..., Any]]:
    """A service's own public methods."""
    for name, member in vars(type(service)).items():
        if not name.startswith("_") and inspect.isfunction(member):
            yield getattr(service, name)


def arguments(method: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
    """Something for each parameter that must be given, and for `params` something to send."""
    in_order: list[Any] = []
    by_name: dict[str, Any] = {}
    for name, parameter in inspect.signature(method).parameters.items():
        value: Any = {"name": "x"} if name == "params" else "xx_1"
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if name != "params" and parameter.default is not parameter.empty:
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            in_order.append(value)
        else:
            by_name[name] = value
    return in_order, by_name


async def called(method: Callable[..., Any]) -> str:
    """How a call ended."""
    try:
        in_order, by_name = arguments(method)
        result = method(*in_order, **by_name)
        if inspect.isawaitable(result):
            await result
    except NotAReading:
        return "refused"
    return "sent"


async def test_no_method_of_any_service_can_write() -> None:
    with recording_server() as recorder:
        http = Watched(KEY, recorder.url)
        client = stripe.StripeClient(KEY, base_addresses={"api": http.origin}, http_client=http, max_network_retries=0)
        ends = Counter[str]()
        for root in (client.v1, client.v2):
            for service in services(root):
                for method in methods(service):
                    ends[await called(method)] += 1
        await http.close_async()
    assert ends["refused"] > 1000, ends
    assert ends["sent"] == len(recorder.seen) == 40, ends  # ten kinds, list and retrieve, twice
    assert sum(http.asked.values()) == ends["refused"] + ends["sent"]
    assert http.asked["post"] > 600
    assert http.asked["delete"] > 50
    assert {method for method, _, _ in recorder.seen} == {"GET"}
    assert [body for _, _, body in recorder.seen if body] == []
    assert [path for _, path, _ in recorder.seen if not ALLOWED.fullmatch(path)] == []


@contextmanager
def default_client(http: stripe.HTTPClient) -> Iterator[None]:
    """The SDK's global settings, which its resource classes use, for a while."""
    before = stripe.default_http_client, stripe.api_key, stripe.api_base
    stripe.default_http_client, stripe.api_key = http, KEY
    stripe.api_base = http.origin if isinstance(http, ReadOnlyClient) else ""
    try:
        yield
    finally:
        stripe.default_http_client, stripe.api_key, stripe.api_base = before


def resources() -> Iterator[Any]:
    """The SDK's classes of objects, and one object of each."""
    for found in pkgutil.walk_packages(stripe.__path__, "stripe."):
        importlib.import_module(found.name)
    waiting = list(stripe.StripeObject.__subclasses__())
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.startswith("stripe.") and hasattr(one, "OBJECT_NAME"):
            yield one
            yield one.construct_from({"id": "xx_1", "object": one.OBJECT_NAME}, KEY)


async def test_no_resource_class_can_write_either() -> None:
    with recording_server() as recorder:
        http = Watched(KEY, recorder.url)
        with default_client(http):
            for resource in resources():
                for name in vars(resource if inspect.isclass(resource) else type(resource)):
                    if name.startswith("_") or not callable(getattr(resource, name, None)):
                        continue
                    with suppress(*LOCAL_FAULTS), warnings.catch_warnings(action="ignore"):
                        await called(getattr(resource, name))
        await http.close_async()
    assert http.asked["post"] > 600
    assert http.asked["delete"] > 50
    assert {method for method, _, _ in recorder.seen} == {"GET"}
    assert [body for _, _, body in recorder.seen if body] == []
    assert [path for _, path, _ in recorder.seen if not ALLOWED.fullmatch(path)] == []


WRONG = [
    "/v1/charges/../refunds",
    "/v1/charges/%2e%2e/refunds",
    "/v1/charges/%2E%2E/accounts",
    "/v1//charges",
    "//v1/charges",
    "/v1/charges/",
    "/v1/charges/ch_1/capture",
    "/v1/charges/search",
    "/v1/invoices/upcoming",
    "/v1/customers/cus_1/sources",
    "/v1/accounts",
    "/v1/events",
    "/v1/files/file_1",
    "/v2/core/events",
    "/v1/charges\\..\\refunds",
    "/v1/charges#/v1/charges",
    "/v1/charges?a=b#c",
    "/v1/charges?a=b c",
    "/v1/charges\n",
    "/v1/charges/ch_1\r\nX: y",
    "/v1/charges;x",
    "/V1/charges",
    "/v1/chargesx",
    "/v1/charges/ch_１",
    "",
    "/",
]


@pytest.mark.parametrize("path", WRONG)
def test_paths_that_are_not_on_the_list_are_refused(path: str) -> None:
    client = ReadOnlyClient(KEY, "http://127.0.0.1:1")
    with pytest.raises(NotAReading):
        client.target("get", "http://127.0.0.1:1" + path)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.stripe.com.example.com/v1/charges",
        "https://api.stripe.com@example.com/v1/charges",
        "https://api.stripe.com:444/v1/charges",
        "http://api.stripe.com/v1/charges",
        "HTTPS://api.stripe.com/v1/charges",
        "https://files.stripe.com/v1/charges",
        "https://example.com/v1/charges",
        "//api.stripe.com/v1/charges",
        "/v1/charges",
    ],
)
def test_other_hosts_are_refused(url: str) -> None:
    with pytest.raises(NotAReading):
        ReadOnlyClient(KEY).target("get", url)


@pytest.mark.parametrize("method", ["post", "POST", "delete", "put", "patch", "head", "options", "get ", "ge", ""])
def test_other_methods_are_refused(method: str) -> None:
    with pytest.raises(NotAReading):
        ReadOnlyClient(KEY).target(method, "https://api.stripe.com/v1/charges")


@pytest.mark.parametrize("body", ["", b"", "amount=1", {}])
def test_a_body_is_refused_even_an_empty_one(body: object) -> None:
    with pytest.raises(NotAReading):
        ReadOnlyClient(KEY).target("get", "https://api.stripe.com/v1/charges", body)


def test_readings_pass_as_they_are() -> None:
    client = ReadOnlyClient(KEY)
    for target in ("/v1/charges?customer=cus_1&expand[0]=data.refunds", "/v1/customers?email=a%2Bb%40example.com"):
        assert client.target("get", "https://api.stripe.com" + target) == target
    assert client.target("GET", "https://api.stripe.com/v1/customers/cus_1") == "/v1/customers/cus_1"


async def test_options_of_a_call_do_not_reach_the_wire() -> None:
    async with stripe_server() as server:
        http = ReadOnlyClient(KEY, server.url)
        client = stripe.StripeClient(KEY, base_addresses={"api": http.origin}, http_client=http)
        options: Any = {
            "api_key": "rk_test_other",
            "stripe_account": "acct_1",
            "idempotency_key": "k",
            "headers": {"X-HTTP-Method-Override": "DELETE"},
        }
        await client.v1.charges.list_async(options=options)
        await client.v1.charges.list_async()
        await http.close_async()
    for asked in server.asked:
        names = {name.lower() for name in asked.headers}
        assert asked.headers["Authorization"] == f"Bearer {KEY}"
        assert names == {"authorization", "stripe-version", "user-agent", "host", "accept", "accept-encoding"}


async def test_redirects_are_not_followed() -> None:
    async with stripe_server() as elsewhere, stripe_server() as server:
        server.trick(302, headers={"Location": f"{elsewhere.url}/v1/charges"}, times=2)
        http = ReadOnlyClient(KEY, server.url)
        client = stripe.StripeClient(KEY, base_addresses={"api": http.origin}, http_client=http, max_network_retries=0)
        with pytest.raises(stripe.APIError):
            await client.v1.charges.list_async()
        with pytest.raises(stripe.APIError):
            await asyncio.to_thread(client.v1.charges.list)
        await http.close_async()
    assert elsewhere.asked == []
    assert len(server.asked) == 2


@pytest.mark.parametrize("key", ["rk_test_abc", "rk_live_abc", "rk_abc"])
def test_restricted_keys_pass(key: str) -> None:
    assert checked_key(key) == key


@pytest.mark.parametrize("key", ["sk_test_abc", "sk_live_abc", "sk_abc"])
def test_secret_keys_pass_only_when_that_is_allowed(key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        checked_key(key)
    assert key not in str(refused.value)
    assert checked_key(key, allow_secret=True) == key


@pytest.mark.parametrize("key", ["", "pk_test_abc", "rk_test_", "rk_test_a b", "rk_test_a\r\nX: y", "whsec_abc"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        checked_key(key, allow_secret=True)
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://api.stripe.com",
        "http://example.com",
        "https://user:word@example.com",
        "https://example.com/v1",
        "https://example.com?x",
        "https://example.com#x",
        "https://",
        "https://[",
        "https://example.com:x",
        "file:///etc/passwd",
        "api.stripe.com",
        "",
    ],
)
def test_addresses_that_may_not_be_used(address: str) -> None:
    with pytest.raises(SettingsError):
        checked_origin(address)


def test_a_slash_behind_the_address_is_no_matter() -> None:
    assert checked_origin("https://api.stripe.com/") == "https://api.stripe.com"
    assert checked_origin("http://127.0.0.1:4242") == "http://127.0.0.1:4242"


def test_a_live_key_is_never_sent_in_the_clear() -> None:
    with pytest.raises(SettingsError):
        ReadOnlyClient("rk_live_abc", "http://127.0.0.1:1")


def test_telemetry_is_off() -> None:
    ReadOnlyClient(KEY)
    assert not stripe.enable_telemetry


def test_what_the_sdk_is_given_is_only_what_we_use() -> None:
    with recording_server() as recorder:
        body, status, headers = ReadOnlyClient(KEY, recorder.url).request("get", f"{recorder.url}/v1/charges", {})
    assert (status, headers) == (200, {})
    assert body.startswith('{"object": "list"')
    assert isinstance(headers, Mapping)
