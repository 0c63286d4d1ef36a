"""Who a Slack user is, who works here, and where one can be written to directly."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.redaction import redacted
from bot.errors import DeliveryError, NotFound, Unavailable
from bot.ports import Clock, Person
from handlers.messenger import asked

PERSON_FRESH = timedelta(seconds=60)
STAFF_FRESH = timedelta(seconds=5)
"""A role is asked for at every click; one click may ask twice."""
GROUP_FRESH = timedelta(seconds=30)
MAX_PEOPLE = 2000
MAX_NAME = 80

_NOBODY = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
_NO_GROUP = frozenset({"no_such_subteam", "subteam_not_found"})
_NO_DIRECT = _NOBODY | {
    "access_denied", "cannot_dm_bot", "channel_not_found", "invalid_user_combination",
    "method_not_supported_for_channel_type", "not_allowed", "user_disabled", "user_is_restricted",
}  # fmt: skip
"""Codes that say that there can be no direct conversation with this person. What says that *we* may not, such as
`missing_scope`, is none of them."""
_NOT_FULL = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
_SLACKBOT = "USLACKBOT"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Seen(Generic[T]):
    """What Slack said, and when it was asked."""

    value: T
    at: datetime


class SlackDirectory:
    """Fulfils `bot.ports.Directory`. `client` is a `reading_client`.

    `specialist_group` is one user group id (S…) or the user ids (U…) of the specialists; empty: admins only.
    `most_people` bounds the cache.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        specialist_group: str | tuple[str, ...],
        admin_users: Collection[str],
        team_id: str,
        clock: Clock,
        most_people: int = MAX_PEOPLE,
    ) -> None:
        listed = (specialist_group,) if isinstance(specialist_group, str) else specialist_group
        self._client = client
        self._groups = tuple(one for one in listed if one.startswith("S"))
        self._named = frozenset(listed) - frozenset(self._groups) | frozenset(admin_users)
        self._team_id = team_id
        self._clock = clock
        self._most_people = most_people
        self._people: OrderedDict[str, _Seen[Person]] = OrderedDict()
        self._members: dict[str, _Seen[frozenset[str]]] = {}
        self._direct: OrderedDict[str, str] = OrderedDict()

    async def person(self, user: str) -> Person:
        """As asked within the last minute. Raises NotFound, Unavailable("slack")."""
        return await self._person(user, PERSON_FRESH)

    async def is_staff(self, user: str) -> bool:
        """As asked now. Raises Unavailable("slack"): then nobody knows, and nothing may be allowed."""
        try:
            person = await self._person(user, STAFF_FRESH)
        except NotFound:
            return False
        if not person.member:
            return False
        if user in self._named:
            return True
        for group in self._groups:
            if user in await self._group(group):
                return True
        return False

    async def direct(self, user: str) -> str | None:
        """Takes the scope `im:write`. One that was found is not asked for again: its id does not change."""
        if not user.isalnum():
            return None  # several ids with commas would open a conversation that several people read
        if user in self._direct:
            self._direct.move_to_end(user)
            return self._direct[user]
        try:
            answer = await asked(self._client.conversations_open(users=user))
        except DeliveryError as error:
            if error.code in _NO_DIRECT or error.code.startswith("restricted_action"):
                return None
            raise Unavailable("slack") from None
        channel = answer.get("channel")
        opened = channel.get("id") if isinstance(channel, dict) else None
        if not isinstance(opened, str) or not opened.startswith("D"):
            raise Unavailable("slack")
        self._direct[user] = opened
        while len(self._direct) > self._most_people:
            self._direct.popitem(last=False)
        return opened

    async def _person(self, user: str, fresh: timedelta) -> Person:
        seen = self._people.get(user)
        now = self._clock.now()
        if seen is not None and now - seen.at < fresh:
            return seen.value
        try:
            info = await user_info(self._client, user)
        except NotFound:
            self._people.pop(user, None)
            raise
        person = self._read(user, info)
        self._people[user] = _Seen(person, now)
        self._people.move_to_end(user)
        while len(self._people) > self._most_people:
            self._people.popitem(last=False)
        return person

    async def _group(self, group: str) -> frozenset[str]:
        seen = self._members.get(group)
        now = self._clock.now()
        if seen is not None and now - seen.at < GROUP_FRESH:
            return seen.value
        try:
            answer = await asked(self._client.usergroups_users_list(usergroup=group))
        except DeliveryError as error:
            if error.code not in _NO_GROUP:
                raise Unavailable("slack") from None
            answer = {}  # a group that is gone has no members; `doctor` says so
        members = frozenset(str(member) for member in answer.get("users") or ())
        self._members[group] = _Seen(members, now)
        return members

    def _read(self, user: str, info: Mapping[str, Any]) -> Person:
        profile = info.get("profile") or {}
        names = (profile.get("display_name"), info.get("real_name"), profile.get("real_name"), info.get("name"))
        name = next((" ".join(str(one).split()) for one in names if str(one or "").strip()), user)
        return Person(user, redacted(name[:MAX_NAME]), full_member(user, info, self._team_id))


async def user_info(client: AsyncWebClient, user: str, *, locale: bool = False) -> Mapping[str, Any]:
    """What Slack's `users.info` says about somebody now. Raises NotFound, Unavailable("slack")."""
    try:
        answer = await asked(client.users_info(user=user, include_locale=locale))
    except DeliveryError as error:
        if error.code in _NOBODY:
            raise NotFound("user", user) from None
        raise Unavailable("slack") from None
    info = answer.get("user")
    if not isinstance(info, dict):
        raise Unavailable("slack")
    return info


def full_member(user: str, info: Mapping[str, Any], team_id: str) -> bool:
    """Whether `users.info` describes an active person of our own team who is no guest and no app."""
    full = not any(info.get(flag) for flag in _NOT_FULL) and user != _SLACKBOT
    return full and info.get("team_id") == team_id
