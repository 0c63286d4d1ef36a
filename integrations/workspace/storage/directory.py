"""Who and what exists: people, conversations, user groups, apps. Small, so it is held in memory as well."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from integrations.workspace import ids
from integrations.workspace.seed import App, Channel, Person, Seed, Usergroup
from integrations.workspace.storage.database import Database


class Directory:
    """Write-through store of everything that has a Slack id and is not a message or a view."""

    def __init__(self, database: Database, seed: Seed) -> None:
        self._db = database
        with database.transaction():
            if database.meta("team_id") is None:
                self._plant(seed)
        self.team_id = database.meta("team_id") or ""
        self.team_name = database.meta("team_name") or ""
        self.people = {row["id"]: Person(**row) for row in self._rows("people")}
        self.channels = {row["id"]: Channel(**row) for row in self._rows("channels")}
        self.usergroups = {row["id"]: Usergroup(**row) for row in self._rows("usergroups")}
        self.apps = {row["id"]: App(**row) for row in self._rows("apps")}

    def app_of(self, user: str) -> App | None:
        """The app whose bot user this is."""
        return next((app for app in self.apps.values() if app.bot_user == user), None)

    def app_by_token(self, token: str) -> tuple[App, str] | None:
        """The app a token belongs to and the token's kind, ``bot`` or ``app``."""
        for app in self.apps.values():
            if token == app.bot_token:
                return app, "bot"
            if token == app.app_token:
                return app, "app"
        return None

    def apps_in(self, channel: Channel) -> list[App]:
        """The apps whose bot user is a member: they, and no others, hear what happens there."""
        return [app for app in self.apps.values() if app.bot_user in channel.members]

    def conversations_of(self, user: str) -> list[Channel]:
        """Every conversation the user is in, in the order they were made."""
        return [channel for channel in self.channels.values() if user in channel.members]

    def is_shared(self, channel: Channel) -> bool:
        """Whether people of another company are in it (Slack Connect)."""
        teams = (self.people[user].team_id for user in channel.members)
        return any(team not in (None, self.team_id) for team in teams)

    def direct(self, users: Iterable[str]) -> Channel | None:
        """The direct (group) message of exactly these people, if it has been opened."""
        wanted = frozenset(users)
        return next(
            (c for c in self.channels.values() if c.kind in ("im", "mpim") and frozenset(c.members) == wanted), None
        )

    def open_direct(self, users: tuple[str, ...], created: int) -> tuple[Channel, bool]:
        """The direct message of these people and whether it was open already."""
        found = self.direct(users)
        if found is not None:
            return found, True
        channel = Channel(ids.slack_id("D"), "", "im", "", users, users[0], created=created)
        if len(users) > 2:
            name = "mpdm-" + "-".join(sorted(users))
            channel = Channel(ids.slack_id("G"), name, "mpim", "", users, users[0], created=created)
        self.save_channel(channel)
        return channel, False

    def save_channel(self, channel: Channel) -> None:
        """Store a new or changed conversation."""
        position = len(self.channels)
        self._db.run(
            "INSERT INTO channels VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (channel.id, position, json.dumps(asdict(channel))),
        )
        self.channels[channel.id] = channel

    def set_member(self, channel: Channel, user: str, *, member: bool) -> Channel:
        """Add or remove a member; returns the conversation as it is then."""
        members = tuple(one for one in channel.members if one != user) + ((user,) if member else ())
        changed = replace(channel, members=members)
        self.save_channel(changed)
        return changed

    def save_person(self, person: Person) -> None:
        """Store a changed profile."""
        self._db.run("UPDATE people SET body = ? WHERE id = ?", (json.dumps(asdict(person)), person.id))
        self.people[person.id] = person

    def _plant(self, seed: Seed) -> None:
        self._db.set_meta("team_id", seed.team_id)
        self._db.set_meta("team_name", seed.team_name)
        apps = [
            replace(app, bot_token=app.bot_token or ids.token("xoxb"), app_token=app.app_token or ids.token("xapp"))
            for app in seed.apps
        ]
        planted: tuple[tuple[str, Sequence[Person | Channel | Usergroup | App]], ...] = (
            ("people", seed.people), ("channels", seed.channels), ("usergroups", seed.usergroups), ("apps", apps),
        )  # fmt: skip
        for table, items in planted:
            for position, item in enumerate(items):
                self._db.run(
                    f"INSERT INTO {table} VALUES (?, ?, ?)",  # noqa: S608 - the names are the literals above
                    (item.id, position, json.dumps(asdict(item))),
                )

    def _rows(self, table: str) -> list[dict[str, Any]]:
        rows = self._db.run(f"SELECT body FROM {table} ORDER BY position")  # noqa: S608 - literals of __init__
        return [_with_tuples(json.loads(row[0])) for row in rows]


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
