"""assistant.threads.setStatus"""

from __future__ import annotations

from typing import Any

from integrations.workspace.errors import ApiError
from integrations.workspace.seed import Channel
from integrations.workspace.statuses import Status
from integrations.workspace.webapi.call import Answer, Call

MAX_STATUS = 100
MAX_LOADING_MESSAGES = 10


async def set_status(call: Call) -> Answer:
    """Show that the app is at work on a message, or with an empty ``status`` that it no longer is."""
    call.required("channel_id")
    call.required("thread_ts")
    if "status" not in call.args:
        raise ApiError("invalid_arguments", "[ERROR] missing required field: status")
    text = call.text("status").strip()
    if len(text) > MAX_STATUS:
        raise ApiError("invalid_arguments", f"[ERROR] must be at most {MAX_STATUS} characters [json-pointer:/status]")
    _check_loading_messages(call)
    channel = call.channel("channel_id")
    call.core.statuses.set(Status(channel.id, _thread(call, channel), call.app, text))
    return {}


def _thread(call: Call, channel: Channel) -> str:
    """The first message of the thread; a reply's own ts leads to its thread, as in chat.postMessage."""
    ts = call.text("thread_ts")
    if call.core.messages.get(channel.id, ts) is None:
        raise ApiError("invalid_thread_ts")
    return call.core.messages.root_of(channel.id, ts) or ts


def _check_loading_messages(call: Call) -> None:
    """A list of texts; in a form JSON, or the texts with commas between them."""
    given: Any = call.args.get("loading_messages")
    if isinstance(given, str):
        given = call.parsed("loading_messages", "invalid_arguments") if given.startswith("[") else given.split(",")
    if given is None:
        return
    texts = isinstance(given, list) and all(isinstance(one, str) and len(one) <= MAX_STATUS for one in given)
    if not texts or len(given) > MAX_LOADING_MESSAGES:
        words = f"[ERROR] must be at most {MAX_LOADING_MESSAGES} texts of at most {MAX_STATUS} characters"
        raise ApiError("invalid_arguments", f"{words} [json-pointer:/loading_messages]")
