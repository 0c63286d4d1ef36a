"""What Slack says about a person now: the e-mail that may make them a customer, and how they read money and days."""

from __future__ import annotations

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Unavailable
from bot.ports import Profile
from handlers.directory import full_member, user_info


class SlackProfiles:
    """Fulfils `bot.ports.Profiles`. `client` is a `reading_client`; `team_id` is our own team.

    Nothing is kept: an e-mail that was taken away a moment ago must not show anybody's payments.
    """

    def __init__(self, client: AsyncWebClient, team_id: str) -> None:
        self._client = client
        self._team_id = team_id

    async def profile(self, user: str) -> Profile:
        """As asked now. An address needs the scope `users:read.email`. Raises NotFound, Unavailable("slack")."""
        info = await user_info(self._client, user, locale=True)
        described, team = info.get("profile"), _text(info.get("team_id"))
        if not isinstance(described, dict) or team is None:
            raise Unavailable("slack")  # half an answer is not "no e-mail": that would end their links
        email = _text(described.get("email"))
        return Profile(
            email=email,
            confirmed=email is not None and info.get("is_email_confirmed") is True,
            member=full_member(user, info, self._team_id),
            team=team,
            locale=_text(info.get("locale")),
            zone=_text(info.get("tz")),
        )


def _text(value: Any) -> str | None:
    """A text that says something; anything else is not there."""
    return (value.strip() or None) if isinstance(value, str) else None
