"""users.info, list, conversations, lookupByEmail"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integrations.workspace.errors import ApiError
from integrations.workspace.seed import Person
from integrations.workspace.webapi import conversations
from integrations.workspace.webapi.call import Answer, Call, page_of


async def info(call: Call) -> Answer:
    """One person."""
    return {"user": shown(call, call.person())}


async def listing(call: Call) -> Answer:
    """Everybody in the workspace."""
    people, metadata = page_of(call, list(call.core.directory.people.values()), 1000, 1000)
    answer: Answer = {"members": [shown(call, person) for person in people], "response_metadata": metadata}
    return answer | {"cache_ts": int(call.core.clock.now())}


async def lookup_by_email(call: Call) -> Answer:
    """The person with an address."""
    wanted = call.required("email").lower()
    for person in call.core.directory.people.values():
        if person.email and person.email.lower() == wanted and not person.deleted:
            return {"user": shown(call, person)}
    raise ApiError("users_not_found")


async def conversation_listing(call: Call) -> Answer:
    """The conversations of a person that the app can see; its own without ``user``."""
    user = call.text("user") or call.app.bot_user
    if user not in call.core.directory.people:
        raise ApiError("user_not_found")
    wanted = conversations.kinds(call)
    found = [
        channel
        for channel in call.core.directory.conversations_of(user)
        if channel.kind in wanted
        and (channel.kind == "public" or call.app.bot_user in channel.members)
        and not (channel.archived and call.flag("exclude_archived"))
    ]
    page, metadata = page_of(call, found, 100, 999)
    return {"channels": [conversations.shown(call, one) for one in page], "response_metadata": metadata}


def shown(call: Call, person: Person) -> Answer:
    """A person as ``users.info`` tells it; the app is taken to have ``users:read`` and ``users:read.email``."""
    team_id = person.team_id or call.core.directory.team_id
    first, _, last = person.real_name.partition(" ")
    profile: Answer = {
        "title": person.title, "real_name": person.real_name, "real_name_normalized": person.real_name,
        "display_name": person.name, "display_name_normalized": person.name, "first_name": first, "last_name": last,
        "team": team_id, "avatar_hash": "", "status_text": "", "status_emoji": "",
    }  # fmt: skip
    if person.email:
        profile["email"] = person.email
    user: Answer = {
        "id": person.id, "team_id": team_id, "name": person.name, "deleted": person.deleted,
        "profile": profile, "is_bot": person.is_bot, "is_app_user": False, "updated": 0,
    }  # fmt: skip
    app = call.core.directory.app_of(person.id)
    if app is not None:
        profile |= {"api_app_id": app.id, "bot_id": app.bot_id}
    if person.deleted:
        return user
    user |= {
        "real_name": person.real_name, "tz": person.tz, "tz_label": person.tz, "tz_offset": _offset(call, person.tz),
        "is_admin": person.role == "admin", "is_owner": False, "is_primary_owner": False,
        "is_restricted": person.is_restricted, "is_ultra_restricted": person.is_ultra_restricted,
        "is_email_confirmed": bool(person.email) and person.email_confirmed,
        "who_can_share_contact_card": "EVERYONE",
    }  # fmt: skip
    if person.is_stranger:
        user["is_stranger"] = True
    return user | {"locale": person.locale} if call.flag("include_locale") else user


def _offset(call: Call, zone: str) -> int:
    try:
        moment = datetime.fromtimestamp(call.core.clock.now(), ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return 0
    offset = moment.utcoffset()
    return int(offset.total_seconds()) if offset else 0
