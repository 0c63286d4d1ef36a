"""conversations.list, info, members, open, history, replies"""

from __future__ import annotations

from typing import Any

from integrations.workspace.errors import ApiError
from integrations.workspace.events import visible
from integrations.workspace.seed import Channel
from integrations.workspace.storage.messages import LAST_TS
from integrations.workspace.webapi.call import Answer, Call, cursor_for, page_of, position_of

_KINDS = {"public_channel": "public", "private_channel": "private", "mpim": "mpim", "im": "im"}
MAX_PAGE = 999
MOST_IN_DIRECT = 8


async def listing(call: Call) -> Answer:
    """Conversations the app can see: all public ones, and those it is in."""
    wanted = kinds(call)
    visible_to_app = [
        channel
        for channel in call.core.directory.channels.values()
        if channel.kind in wanted
        and (channel.kind == "public" or call.app.bot_user in channel.members)
        and not (channel.archived and call.flag("exclude_archived"))
    ]
    page, metadata = page_of(call, visible_to_app, 100, 1000)
    return {"channels": [shown(call, channel) for channel in page], "response_metadata": metadata}


async def info(call: Call) -> Answer:
    """One conversation."""
    channel = call.channel(member=False)
    described = shown(call, channel)
    if call.flag("include_num_members"):
        described["num_members"] = len(channel.members)
    return {"channel": described}


async def members(call: Call) -> Answer:
    """User ids of the members."""
    page, metadata = page_of(call, list(call.channel(member=False).members), 100, 1000)
    return {"members": page, "response_metadata": metadata}


async def open_direct(call: Call) -> Answer:
    """Open the direct message with one person, or the group message with several."""
    directory = call.core.directory
    if call.text("channel"):
        channel, open_already = call.channel(), True
    else:
        users = _to_be_written_to(call)
        with call.core.database.transaction():
            everybody = tuple(dict.fromkeys([*users, call.app.bot_user]))
            channel, open_already = directory.open_direct(everybody, int(call.core.clock.now()))
        if not open_already:
            call.core.changes.tell("channel", channel=channel)
    answer: Answer = {"channel": shown(call, channel) if call.flag("return_im") else {"id": channel.id}}
    return answer | {"no_op": True, "already_open": True} if open_already else answer


def _to_be_written_to(call: Call) -> list[str]:
    """The people of ``users``. An app opens no conversation with people of another company; one that they have opened
    with it is found."""
    directory = call.core.directory
    users = [user.strip() for user in call.text("users").split(",") if user.strip()]
    if not users:
        raise ApiError("users_list_not_supplied")
    if len(users) > MOST_IN_DIRECT:
        raise ApiError("too_many_users")
    people = [directory.people.get(user) for user in users]
    if any(person is None for person in people):
        raise ApiError("user_not_found")
    known = [person for person in people if person is not None]
    if any(person.is_bot for person in known):
        raise ApiError("cannot_dm_bot")
    if any(person.deleted for person in known):
        raise ApiError("user_disabled")
    if any(person.is_stranger for person in known) and directory.direct([*users, call.app.bot_user]) is None:
        raise ApiError("user_not_visible")
    return users


async def history(call: Call) -> Answer:
    """Messages of the conversation itself, newest first."""
    channel = call.channel()
    after, before = call.window()
    before = position_of(call.text("cursor")) or before
    limit = call.number("limit", 100, MAX_PAGE)
    found = call.core.messages.history(channel.id, after, before, limit + 1)
    page = found[:limit]
    has_more = len(found) > limit
    answer = _page(call, page, has_more, cursor_for(page[-1]["ts"]) if has_more else "")
    return answer | {"pin_count": 0, "channel_actions_ts": None, "channel_actions_count": 0}


async def replies(call: Call) -> Answer:
    """A thread, oldest first. Its first message leads the first page, whatever ``oldest`` says; the ts of a message
    without replies, or of a reply, gives that one message."""
    channel = call.channel()
    root = call.core.messages.get(channel.id, call.required("ts"))
    if root is None:
        raise ApiError("thread_not_found")
    after, before = call.window()
    cursor = position_of(call.text("cursor"))
    limit = call.number("limit", MAX_PAGE, MAX_PAGE)
    room = limit if cursor else limit - 1
    found = call.core.messages.replies(channel.id, root["ts"], cursor or after, min(before, LAST_TS), room + 1)
    page = found[:room] if cursor else [root, *found[:room]]
    has_more = len(found) > room
    return _page(call, page, has_more, cursor_for(page[-1]["ts"]) if has_more else "")


def shown(call: Call, channel: Channel) -> Answer:
    """A conversation as Slack describes it to this app."""
    described: Answer = {
        "id": channel.id, "created": channel.created, "is_archived": channel.archived, "is_im": channel.kind == "im",
        "is_org_shared": False, "context_team_id": call.core.directory.team_id, "updated": channel.created * 1000,
    }  # fmt: skip
    if channel.kind == "im":
        other = next((user for user in channel.members if user != call.app.bot_user), call.app.bot_user)
        return described | {"user": other, "is_user_deleted": False, "priority": 0}
    is_private, shared = channel.kind != "public", call.core.directory.is_shared(channel)
    return described | {
        "name": channel.name, "name_normalized": channel.name, "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private", "is_mpim": channel.kind == "mpim", "is_private": is_private,
        "is_general": channel.name == "general", "is_shared": shared, "is_ext_shared": shared,
        "is_pending_ext_shared": False, "is_member": call.app.bot_user in channel.members,
        "creator": channel.creator, "topic": {"value": channel.topic, "creator": channel.creator, "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0}, "num_members": len(channel.members),
    }  # fmt: skip


def kinds(call: Call) -> set[str]:
    """The ``types`` argument in the workspace's words."""
    wanted = [kind.strip() for kind in call.text("types", "public_channel").split(",")]
    if any(kind not in _KINDS for kind in wanted):
        raise ApiError("invalid_types")
    return {_KINDS[kind] for kind in wanted}


def _page(call: Call, messages: list[dict[str, Any]], has_more: bool, cursor: str) -> Answer:
    metadata = call.flag("include_all_metadata")
    answer: Answer = {"messages": [visible(one, metadata=metadata) for one in messages], "has_more": has_more}
    return answer | {"response_metadata": {"next_cursor": cursor}} if cursor else answer
