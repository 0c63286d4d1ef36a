"""auth.test, api.test, apps.connections.open, team.info, bots.info, usergroups.*"""

from __future__ import annotations

from integrations.workspace.errors import ApiError
from integrations.workspace.seed import Usergroup
from integrations.workspace.webapi.call import Answer, Call


async def auth_test(call: Call) -> Answer:
    """Who the token is."""
    bot = call.core.directory.people[call.app.bot_user]
    return {
        "url": call.core.base_url + "/",
        "team": call.core.directory.team_name,
        "user": bot.name,
        "team_id": call.core.directory.team_id,
        "user_id": bot.id,
        "bot_id": call.app.bot_id,
        "is_enterprise_install": False,
    }


async def api_test(call: Call) -> Answer:
    """Echo of the arguments."""
    error = call.text("error")
    if error:
        raise ApiError(error, args=call.args)
    return {"args": call.args}


async def apps_connections_open(call: Call) -> Answer:
    """A one-time WebSocket address."""
    if call.core.faults.token_revoked:
        raise ApiError("token_revoked")
    address = call.core.base_url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link/?ticket={call.core.hub.ticket(call.app.id)}&app_id={call.app.id}"}


async def team_info(call: Call) -> Answer:
    """The workspace."""
    directory = call.core.directory
    return {
        "team": {
            "id": directory.team_id, "name": directory.team_name, "domain": directory.team_name.lower(),
            "email_domain": "", "icon": {"image_default": True},
        }
    }  # fmt: skip


async def bots_info(call: Call) -> Answer:
    """An app's bot."""
    wanted = call.text("bot") or call.app.bot_id
    app = next((one for one in call.core.directory.apps.values() if one.bot_id == wanted), None)
    if app is None:
        raise ApiError("bot_not_found")
    return {
        "bot": {
            "id": app.bot_id, "deleted": False, "name": app.name, "updated": 0, "app_id": app.id,
            "user_id": app.bot_user, "icons": {},
        }
    }  # fmt: skip


async def usergroups_list(call: Call) -> Answer:
    """All user groups, with members when ``include_users`` is set."""
    listed = [_usergroup(call, group, users=call.flag("include_users")) for group in _groups(call)]
    return {"usergroups": listed}


async def usergroups_users_list(call: Call) -> Answer:
    """The members of one user group."""
    group = call.core.directory.usergroups.get(call.text("usergroup"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": list(group.members)}


def _groups(call: Call) -> list[Usergroup]:
    return list(call.core.directory.usergroups.values())


def _usergroup(call: Call, group: Usergroup, *, users: bool) -> Answer:
    shown: Answer = {
        "id": group.id, "team_id": call.core.directory.team_id, "is_usergroup": True, "name": group.name,
        "description": "", "handle": group.handle, "is_external": False, "date_delete": 0, "auto_type": None,
        "user_count": len(group.members), "prefs": {"channels": [], "groups": []},
    }  # fmt: skip
    return shown | {"users": list(group.members)} if users else shown
