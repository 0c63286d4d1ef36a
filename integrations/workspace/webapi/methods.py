"""Every method this workspace knows. A name that is not here answers ``unknown_method``."""

from __future__ import annotations

from integrations.workspace.webapi import assistant, basics, chat, conversations, reactions, users, views
from integrations.workspace.webapi.call import Method

APP_TOKEN_METHODS = frozenset({"apps.connections.open"})
NO_TOKEN_METHODS = frozenset({"api.test"})

METHODS: dict[str, Method] = {
    "api.test": basics.api_test,
    "apps.connections.open": basics.apps_connections_open,
    "assistant.threads.setStatus": assistant.set_status,
    "auth.test": basics.auth_test,
    "bots.info": basics.bots_info,
    "chat.delete": chat.delete,
    "chat.getPermalink": chat.get_permalink,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.list": conversations.listing,
    "conversations.members": conversations.members,
    "conversations.open": conversations.open_direct,
    "conversations.replies": conversations.replies,
    "reactions.add": reactions.add,
    "reactions.get": reactions.get,
    "reactions.remove": reactions.remove,
    "team.info": basics.team_info,
    "usergroups.list": basics.usergroups_list,
    "usergroups.users.list": basics.usergroups_users_list,
    "users.conversations": users.conversation_listing,
    "users.info": users.info,
    "users.list": users.listing,
    "users.lookupByEmail": users.lookup_by_email,
    "views.open": views.open_view,
    "views.publish": views.publish,
    "views.push": views.push,
    "views.update": views.update,
}
