"""Who reads the specialists' channel, and so whether payment details may stand there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import DeliveryDeferred, DeliveryError, Unavailable
from bot.ports import Clock
from handlers.messenger import asked

PEOPLE_FRESH = timedelta(minutes=5)
MOST_READERS = 200
"""Members of a channel who are looked at. A larger one is no place for payment details."""
AT_ONCE = 8
"""People who are asked about side by side."""
PATIENCE_SECONDS = 15.0

_GONE = frozenset({"channel_not_found", "method_not_supported_for_channel_type", "not_in_channel"})
_HIDDEN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
_MUST_SAY = ("is_private", "is_archived", "is_shared", "is_ext_shared", "is_org_shared")
_SHARED = ("is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared", "is_global_shared")


class Flaw(StrEnum):
    """Why a channel is no place for payment details."""

    UNSEEN = "cannot be seen by the bot"
    ARCHIVED = "is archived"
    DIRECT = "is no channel"
    PUBLIC = "is public, so everybody can read the cases"
    SHARED = "is shared with another company or workspace"
    CROWDED = f"has more than {MOST_READERS} members"
    OUTSIDERS = "has guests or people of other companies"


class _Kind(StrEnum):
    MEMBER = "member"
    APP = "app"
    OUTSIDER = "outsider"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads a channel. `flaws` forbid payment details there; with some of them its members are not looked at.

    `apps` forbid nothing: an app of our own workspace, ours among them, is there because its admins let it in. Apps of
    other workspaces are among the `outsiders`.
    """

    flaws: tuple[Flaw, ...] = ()
    members: tuple[str, ...] = ()
    outsiders: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    kind: _Kind
    at: datetime


class SlackDesk:
    """Fulfils `bot.ports.Desk` for `channel`. `client` is a `reading_client`; `team_id` is our own team.

    The channel and the list of its members are asked for each time, so a guest who has joined is noticed at the next
    card, and a full member who was made a guest within PEOPLE_FRESH. Nothing here undoes what was posted before: who
    joins a channel reads its past.
    """

    def __init__(self, client: AsyncWebClient, channel: str, team_id: str, clock: Clock) -> None:
        self._client = client
        self._channel = channel
        self._team_id = team_id
        self._clock = clock
        self._people: dict[str, _Seen] = {}
        self._asking = asyncio.Lock()
        self._begun = 0
        self._newest = (0, False)  # the number of a question, and its answer

    async def private(self) -> bool:
        """See `bot.ports.Desk.private`. Callers who come together share one question that began after they came."""
        before = self._begun
        async with self._asking:
            if self._newest[0] <= before:
                self._begun += 1
                try:
                    readers = await self.readers()
                except DeliveryError:
                    raise Unavailable("slack") from None
                self._newest = (self._begun, not readers.flaws)
            return self._newest[1]

    async def readers(self) -> Readers:
        """As asked now. Raises DeliveryRefused and DeliveryDeferred, whose code says what keeps us from knowing."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._readers()
        except TimeoutError:
            raise DeliveryDeferred("no_response") from None

    async def _readers(self) -> Readers:
        try:
            flaws = await self._flaws()
            if flaws:
                return Readers(flaws)
            members = await self._members()
        except DeliveryError as error:
            if error.code in _GONE:
                return Readers((Flaw.UNSEEN,))
            raise
        if len(members) > MOST_READERS:
            return Readers((Flaw.CROWDED,))
        kinds = await self._kinds(members)
        outsiders = _of(kinds, _Kind.OUTSIDER)
        return Readers(
            flaws=(Flaw.OUTSIDERS,) if outsiders else (),
            members=_of(kinds, _Kind.MEMBER),
            outsiders=outsiders,
            apps=_of(kinds, _Kind.APP),
        )

    async def _flaws(self) -> tuple[Flaw, ...]:
        """What is wrong with the channel itself."""
        info = (await asked(self._client.conversations_info(channel=self._channel))).get("channel")
        if not isinstance(info, dict):
            raise _unreadable()
        if info.get("is_im") or info.get("is_mpim"):
            return (Flaw.DIRECT,)
        if not all(isinstance(info.get(name), bool) for name in _MUST_SAY):
            raise _unreadable()
        found = {
            Flaw.ARCHIVED: info["is_archived"],
            Flaw.PUBLIC: not info["is_private"],
            Flaw.SHARED: any(info.get(name) for name in _SHARED),
        }
        return tuple(flaw for flaw, there in found.items() if there)

    async def _members(self) -> tuple[str, ...]:
        """All members, or more than MOST_READERS of them."""
        found: dict[str, None] = {}
        cursor: str | None = None
        while True:
            answer = await asked(
                self._client.conversations_members(channel=self._channel, cursor=cursor, limit=MOST_READERS)
            )
            page = answer.get("members")
            if not isinstance(page, list) or not page:  # we are in it ourselves
                raise _unreadable()
            found |= dict.fromkeys(str(user) for user in page)
            metadata = answer.get("response_metadata")
            cursor = metadata.get("next_cursor") if isinstance(metadata, dict) else None
            if not cursor or len(found) > MOST_READERS:
                return tuple(found)

    async def _kinds(self, users: Sequence[str]) -> Mapping[str, _Kind]:
        """What each member is. Who is known is kept when Slack stops answering, so that the next time goes on there."""
        now = self._clock.now()
        known = {user: seen for user, seen in self._people.items() if user in users and now - seen.at < PEOPLE_FRESH}
        self._people = known
        new = [user for user in users if user not in known]
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            kinds = await asyncio.gather(*(self._kind(user) for user in some), return_exceptions=True)
            known |= {user: _Seen(kind, now) for user, kind in zip(some, kinds, strict=True) if isinstance(kind, _Kind)}
            for failed in kinds:
                if isinstance(failed, BaseException):
                    raise failed
        return {user: known[user].kind for user in users}

    async def _kind(self, user: str) -> _Kind:
        try:
            info = (await asked(self._client.users_info(user=user))).get("user")
        except DeliveryError as error:
            if error.code in _HIDDEN:
                return _Kind.OUTSIDER  # in the channel, and not one of ours to be seen
            raise
        if not isinstance(info, dict) or not isinstance(info.get("team_id"), str):
            raise _unreadable()
        if info.get("deleted"):
            return _Kind.DEACTIVATED
        restricted = (info.get("is_restricted"), info.get("is_ultra_restricted"))
        if info["team_id"] != self._team_id or info.get("is_stranger") or any(restricted):
            return _Kind.OUTSIDER
        if not all(isinstance(flag, bool) for flag in restricted):
            raise _unreadable()
        return _Kind.APP if info.get("is_bot") else _Kind.MEMBER


def _of(kinds: Mapping[str, _Kind], wanted: _Kind) -> tuple[str, ...]:
    return tuple(user for user, kind in kinds.items() if kind is wanted)


def _unreadable() -> DeliveryDeferred:
    return DeliveryDeferred("unreadable_response")
