"""chat.postMessage, postEphemeral, update, delete, getPermalink"""

from __future__ import annotations

from typing import Any

from integrations.workspace.blockkit.check import check_message
from integrations.workspace.errors import ApiError
from integrations.workspace.events import visible
from integrations.workspace.posting import MAX_TEXT, Draft
from integrations.workspace.seed import Channel
from integrations.workspace.storage.messages import Message
from integrations.workspace.webapi.call import Answer, Call


async def post_message(call: Call) -> Answer:
    """Post in a conversation the bot is in, or to a person (their user id opens the direct message)."""
    channel = _destination(call)
    draft = _draft(call)
    message = call.core.posting.post(channel, call.app.bot_user, draft, call.app)
    return {"channel": channel.id, "ts": message["ts"], "message": visible(message, metadata=True)}


async def post_ephemeral(call: Call) -> Answer:
    """Show a message to one member."""
    channel = call.channel()
    person = call.person()
    if person.id not in channel.members:
        raise ApiError("user_not_in_channel")
    message = call.core.posting.whisper(channel, person.id, call.app, _draft(call))
    return {"message_ts": message["ts"]}


async def update(call: Call) -> Answer:
    """Replace text, blocks or metadata of the app's own message.

    Text without blocks removes the blocks, as in Slack; metadata stays unless it is given.
    """
    channel = call.channel()
    message = _own_message(call, channel, "cant_update_message")
    blocks, text, metadata = _blocks(call), call.text("text"), call.parsed("metadata", "invalid_metadata_format")
    if not blocks and not text and metadata is None:
        raise ApiError("no_text")
    _check_length(text)
    changed: dict[str, Any] = {}
    if text or blocks:
        changed = {"text": text, "blocks": blocks or None}
    if metadata is not None:
        changed["metadata"] = _metadata(metadata)
    after = call.core.posting.edit(channel, message, changed, call.app.bot_user)
    return {
        "channel": channel.id, "ts": after["ts"], "text": after.get("text", ""),
        "message": visible(after, metadata=True),
    }  # fmt: skip


async def delete(call: Call) -> Answer:
    """Delete the app's own message."""
    channel = call.channel()
    message = _own_message(call, channel, "cant_delete_message")
    call.core.posting.delete(channel, message)
    return {"channel": channel.id, "ts": message["ts"]}


async def get_permalink(call: Call) -> Answer:
    """The address of a message on the workspace's page."""
    channel = call.channel()
    message = call.message(channel, "message_ts")
    link = f"{call.core.base_url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    thread_ts = message.get("thread_ts")
    if thread_ts and thread_ts != message["ts"]:
        link += f"?thread_ts={thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _destination(call: Call) -> Channel:
    directory = call.core.directory
    wanted = call.text("channel")
    if wanted in directory.people and wanted != call.app.bot_user:
        with call.core.database.transaction():
            return directory.open_direct((wanted, call.app.bot_user), int(call.core.clock.now()))[0]
    if wanted.startswith("#"):
        named = next((c for c in directory.channels.values() if c.name == wanted[1:] and c.name), None)
        call.args["channel"] = named.id if named else wanted
    return call.channel()


def _draft(call: Call) -> Draft:
    blocks, text = _blocks(call), call.text("text") or call.text("markdown_text")
    if not text and not blocks:
        raise ApiError("no_text")
    _check_length(text)
    metadata = call.parsed("metadata", "invalid_metadata_format")
    return Draft(
        text=text,
        thread_ts=call.text("thread_ts") or None,
        blocks=blocks,
        metadata=None if metadata is None else _metadata(metadata),
        broadcast=call.flag("reply_broadcast"),
        username=call.text("username"),
    )


def _blocks(call: Call) -> list[dict[str, Any]] | None:
    given = call.parsed("blocks", "invalid_blocks_format")
    return None if given is None else check_message(given)


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise ApiError("msg_too_long")


def _metadata(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not isinstance(given.get("event_type"), str):
        raise ApiError("invalid_metadata_format")
    payload = given.get("event_payload")
    if not isinstance(payload, dict):
        raise ApiError("invalid_metadata_schema")
    return {"event_type": given["event_type"], "event_payload": payload}


def _own_message(call: Call, channel: Channel, refusal: str) -> Message:
    message = call.message(channel)
    if message.get("app_id") != call.app.id or message.get("subtype") == "tombstone":
        raise ApiError(refusal)
    return message
