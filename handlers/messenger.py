"""Slack's writing side.

Posting is not idempotent, so nothing here sends twice: the client must have no retry handlers (the SDK's default
one posts again when a response is lost). Whoever calls decides, by the error's type, whether to look a message up.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Awaitable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError, ClientError, ClientSession, ConnectionTimeoutError
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.replies import Address, Content, Home, Reply
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryRefused
from handlers import blocks

TIMEOUT_SECONDS = 10
EVENT_TYPE = "handrail_post"
CLOCK_SKEW = timedelta(minutes=15)
"""How far Slack's clock may be behind ours."""
PAGE = 200
MAX_PAGES = 20
"""Pages that `find` reads: 4,000 messages."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_CODE = re.compile(r"[a-z0-9_]{1,64}")
_RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})
_REFUSED = frozenset({
    "access_denied", "account_inactive", "bad_timestamp", "cannot_dm_bot", "cannot_reply_to_message",
    "cant_update_message", "channel_is_archived", "channel_not_found", "deprecated_endpoint", "edit_window_closed",
    "invalid_arguments", "invalid_auth", "invalid_blocks", "invalid_blocks_format", "invalid_metadata_format",
    "invalid_metadata_schema", "invalid_name", "is_archived", "is_bot", "is_inactive", "message_not_found",
    "messages_tab_disabled", "metadata_too_large", "method_deprecated", "method_not_supported_for_channel_type",
    "missing_scope", "msg_blocks_too_long", "msg_too_long", "no_item_specified", "no_permission", "no_text",
    "not_allowed_token_type", "not_authed", "not_enabled", "not_in_channel", "team_access_not_granted",
    "team_not_found", "thread_not_found", "token_revoked", "too_many_emoji", "too_many_reactions",
    "two_factor_setup_required", "unknown_method", "user_disabled", "user_not_found", "user_not_in_channel",
    "user_not_visible", "view_too_large",
    "token_expired", "org_login_required", "enterprise_is_restricted", "ekm_access_denied",
    "no_such_subteam", "subteam_not_found",
})  # fmt: skip
_REFUSED_PREFIX = "restricted_action"

# The SDK logs whole messages at DEBUG, customers' words among them.
_SDK_LOG = logging.getLogger("handlers.slack_sdk")
_SDK_LOG.setLevel(logging.INFO)


def posting_client(token: str | None, base_url: str, session: ClientSession | None = None) -> AsyncWebClient:
    """A client that sends each request once; without a token each call brings its own. A session, when given, has
    a timeout of its own (TIMEOUT_SECONDS)."""
    return _client(token, base_url, session, [])


def reading_client(token: str, base_url: str, session: ClientSession | None = None) -> AsyncWebClient:
    """A client for reads: it tries again after a rate limit, a server error or a broken connection."""
    handlers = [
        AsyncRateLimitErrorRetryHandler(max_retry_count=1),
        AsyncServerErrorRetryHandler(max_retry_count=2),
        AsyncConnectionErrorRetryHandler(max_retry_count=1),
    ]
    return _client(token, base_url, session, handlers)


def _client(
    token: str | None, base_url: str, session: ClientSession | None, retry_handlers: list[AsyncRetryHandler]
) -> AsyncWebClient:
    client = AsyncWebClient(
        token=token,
        base_url=base_url,
        timeout=TIMEOUT_SECONDS,
        session=session,
        retry_handlers=retry_handlers,
        logger=_SDK_LOG,
    )
    if urlsplit(base_url).hostname in _LOOPBACK:
        client.proxy = None  # the SDK would send requests for this machine to HTTPS_PROXY
    return client


class SlackMessenger:
    """Fulfils `bot.ports.Messenger`. `reader` serves `find`; without one, `client` does."""

    def __init__(self, client: AsyncWebClient, bot_user_id: str, reader: AsyncWebClient | None = None) -> None:
        if client.retry_handlers:
            raise ValueError("the posting client must not retry: make it with posting_client()")
        self._client = client
        self._reader = reader or client
        self._bot_user_id = bot_user_id

    async def post(self, to: Address, content: Content, mark: str) -> str:
        message = blocks.message(content)
        answer = await asked(
            self._client.chat_postMessage(
                channel=to.channel,
                thread_ts=to.thread_ts,
                text=message.text,
                blocks=list(message.blocks),
                metadata={"event_type": EVENT_TYPE, "event_payload": {"mark": mark}},
                unfurl_links=False,
                unfurl_media=False,
                parse="none",
            )
        )
        ts = answer.get("ts")
        if not isinstance(ts, str):
            raise DeliveryDeferred("unreadable_response")
        return ts

    async def find(self, to: Address, mark: str, since: datetime) -> str | None:
        """Raises DeliveryRefused("history_too_long") when more than MAX_PAGES pages came after `since`: not
        having found it there is no proof that it is not there, and more will come."""
        oldest = f"{(since - CLOCK_SKEW).timestamp():.6f}"
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await asked(self._history(to, oldest, cursor))
            for message in page.get("messages") or ():
                if self._is_ours(message, mark):
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        raise DeliveryRefused("history_too_long")

    async def update(self, to: Address, ts: str, content: Content) -> None:
        message = blocks.message(content)
        await asked(
            self._client.chat_update(
                channel=to.channel, ts=ts, text=message.text, blocks=list(message.blocks), parse="none"
            )
        )

    async def react(self, to: Address, ts: str, emoji: str) -> None:
        try:
            await asked(self._client.reactions_add(channel=to.channel, timestamp=ts, name=emoji))
        except DeliveryError as error:
            if error.code != "already_reacted":
                raise

    async def hint(self, to: Address, user: str, reply: Reply) -> None:
        message = blocks.reply_message(reply)
        await asked(
            self._client.chat_postEphemeral(
                channel=to.channel,
                user=user,
                thread_ts=to.thread_ts,
                text=message.text,
                blocks=list(message.blocks),
                parse="none",
            )
        )

    async def home(self, user: str, home: Home) -> None:
        await asked(self._client.views_publish(user_id=user, view=blocks.home_view(home)))

    def _history(self, to: Address, oldest: str, cursor: str | None) -> Awaitable[AsyncSlackResponse]:
        if to.thread_ts is None:
            return self._reader.conversations_history(
                channel=to.channel, oldest=oldest, cursor=cursor, limit=PAGE, include_all_metadata=True
            )
        return self._reader.conversations_replies(
            channel=to.channel, ts=to.thread_ts, oldest=oldest, cursor=cursor, limit=PAGE, include_all_metadata=True
        )

    def _is_ours(self, message: Mapping[str, Any], mark: str) -> bool:
        # Any app can put any metadata on its own messages, so the author counts too.
        metadata = message.get("metadata") or {}
        payload = metadata.get("event_payload") or {}
        by_us = message.get("user") == self._bot_user_id
        return by_us and metadata.get("event_type") == EVENT_TYPE and payload.get("mark") == mark


async def asked(request: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
    """Slack's answer to a request. Raises DeliveryRefused and DeliveryDeferred only, without Slack's words in
    them: an SDK error's text holds the whole response."""
    try:
        data: object = (await request).data
    except SlackApiError as error:
        raise _meaning(error) from None
    except (ClientConnectorError, ConnectionTimeoutError):
        raise DeliveryDeferred("unreachable", maybe_stored=False) from None
    except (ClientError, TimeoutError):
        raise DeliveryDeferred("no_response") from None
    except (ValueError, AttributeError):  # the SDK takes every body for a JSON object
        raise DeliveryDeferred("unreadable_response") from None
    if not isinstance(data, dict):
        raise DeliveryDeferred("unreadable_response")
    return data


def _meaning(error: SlackApiError) -> DeliveryError:
    # An AsyncSlackResponse (status_code), or aiohttp's own (status) when the body was not JSON.
    response: Any = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or code in _RATE_LIMITED:
        return DeliveryDeferred("ratelimited", _retry_after(response.headers), maybe_stored=False)
    if not _CODE.fullmatch(code):
        code = f"http_{status}"
    if status < 500 and (code in _REFUSED or code.startswith(_REFUSED_PREFIX)):
        return DeliveryRefused(code)
    return DeliveryDeferred(code)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
