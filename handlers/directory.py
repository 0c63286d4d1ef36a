"""Who a Slack user is, and who works here."""

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

    async def _person(self, user: str, fresh: timedelta) -> Person:
        seen = self._people.get(user)
        now = self._clock.now()
        if seen is not None and now - seen.at < fresh:
            return seen.value
        try:
            answer = await asked(self._client.users_info(user=user))
        except DeliveryError as error:
            if error.code in _NOBODY:
                self._people.pop(user, None)
                raise NotFound("user", user) from None
            raise Unavailable("slack") from None
        person = self._read(user, answer.get("user") or {})
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
        full = not any(info.get(flag) for flag in _NOT_FULL) and user != _SLACKBOT
        return Person(user, redacted(name[:MAX_NAME]), full and info.get("team_id") == self._team_id)
