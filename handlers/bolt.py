"""The Bolt app: our intake before everything, listeners for forms, and an error handler that tells nobody anything."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable

from aiohttp import ClientError, WSMessage, WSMsgType
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import buttons
from bot.telemetry import count
from handlers.events import readable
from handlers.identity_views import ProofViews
from handlers.intake import Intake
from handlers.link_views import LinkViews
from handlers.views import Views

log = logging.getLogger(__name__)

WATCH_SECONDS = 3.0
STUCK_SECONDS = 20.0
"""A socket that is down for so long, with the SDK at work on it, is connected anew."""
HEARTBEAT_SECONDS = 2.0
"""How often the socket is asked whether it lives; also the pause between two tries to connect again."""

# The SDK's socket logs each message whole at DEBUG: what customers write, and what is typed into forms.
_SOCKET_LOG = logging.getLogger("handlers.slack_socket")
_SOCKET_LOG.addFilter(lambda record: record.levelno > logging.DEBUG)


def build_app(
    client: AsyncWebClient,
    authorized: AuthorizeResult,
    intake: Intake,
    views: Views,
    proofs: ProofViews,
    links: LinkViews,
) -> AsyncApp:
    """The app with everything that Handrail listens to. `authorized` is who `auth.test` said that we are.

    Bolt's own authorization would ask at the first event, before our intake; when Slack fails then, Bolt
    acknowledges the event and drops it.
    """

    async def authorize() -> AuthorizeResult:
        return authorized

    app = AsyncApp(
        client=client,
        authorize=authorize,
        logger=logging.getLogger("slack_bolt"),
        request_verification_enabled=False,
    )
    app.middleware(_as_middleware(intake))
    app.action(buttons.REPLY)(views.open_reply)
    app.view(buttons.REPLY_VIEW)(views.submit_reply)
    app.action(buttons.PROVE)(proofs.open_address)
    app.view(buttons.PROVE_VIEW)(proofs.submit_address)
    app.view(buttons.CODE_VIEW)(proofs.submit_code)
    app.action(buttons.LINK)(links.open_link)
    app.view(buttons.LINK_VIEW)(links.submit_link)
    # Bolt logs a submission whole that nobody listens to.
    app.view(re.compile(""))(_forget)

    @app.error
    async def handle(error: Exception) -> None:
        # The Bolt error handler, one of the three places that take every error: Slack gets no acknowledgement and
        # delivers again. The body is not logged: it is raw.
        log.error("a request from Slack failed", exc_info=error)
        count("failures", kind="request")

    return app


async def _forget(ack: AsyncAck) -> None:
    await ack()


def _as_middleware(intake: Intake) -> Callable[..., object]:
    async def store_first(body, next_):  # type: ignore[no-untyped-def]  # Bolt finds arguments by these names
        return await intake(body, next_)

    return store_first


class _Handler(AsyncSocketModeHandler):
    """Bolt reads ids out of a body before any middleware, and breaks on one that is not what Slack documents: no
    acknowledgement, four deliveries, four tracebacks."""

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        if readable(req.payload):
            return await super().handle(client, req)  # type: ignore[arg-type]  # Bolt narrows the client's type
        log.warning("a request of type %s was dropped: it is not what Slack documents", req.type)
        count("events", result="malformed")
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))
        return None


def socket_handler(app: AsyncApp, app_token: str, on_connect: Callable[[], None]) -> AsyncSocketModeHandler:
    """The Socket Mode connection. `on_connect` is called each time that Slack greets a new socket."""
    handler = _Handler(app, app_token, logger=_SOCKET_LOG, ping_interval=HEARTBEAT_SECONDS)

    async def greeted(message: WSMessage) -> None:
        first_words = message.data[:200] if message.type == WSMsgType.TEXT else ""
        if '"hello"' in first_words and json.loads(message.data).get("type") == "hello":
            on_connect()

    handler.client.on_message_listeners.append(greeted)
    return handler


async def keep_connected(handler: AsyncSocketModeHandler) -> None:
    """Watch over the socket for ever; the SDK's own reconnecting can get stuck in two ways.

    It tries again and again with an address whose ticket is spent, though a new one would work; and when it is
    cancelled in the middle of connecting, its reconnecting stays switched off.
    """
    client, since = handler.client, None
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        if await client.is_connected():
            since = None
            continue
        now = asyncio.get_running_loop().time()
        since = now if since is None else since
        client.wss_uri = None  # its next try asks Slack for a new address
        if now - since > STUCK_SECONDS:
            log.warning("the socket is stuck; connecting anew")
            since = None
            client.auto_reconnect_enabled = True
            await _connect_anew(client)


async def _connect_anew(client: AsyncBaseSocketModeClient) -> None:
    try:
        async with asyncio.timeout(STUCK_SECONDS):
            await client.connect_to_new_endpoint(force=True)
    except (TimeoutError, SlackApiError, ClientError, OSError) as error:
        log.warning("connecting anew failed and will be repeated: %s", type(error).__name__)
